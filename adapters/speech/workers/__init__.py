"""Supervised, sandboxed processes, each with an engine of its own."""
