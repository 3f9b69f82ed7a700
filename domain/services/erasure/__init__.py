"""Erasure: of one interaction, of many on request, and of those whose time is over."""
