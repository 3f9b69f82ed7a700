"""Adapters that store files on this machine."""
