"""Routers: one module for each group of routes."""
