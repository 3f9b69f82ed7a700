"""What can be done with events that were received: a command, a function, a folder for a warehouse."""
