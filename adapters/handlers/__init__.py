"""Event handlers: run a command, call a function, write files for a warehouse."""
