"""Minimal IAM policies, one for each role."""
