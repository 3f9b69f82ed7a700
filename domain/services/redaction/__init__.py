"""Redaction: personal data leaves a transcript before anything else sees it."""
