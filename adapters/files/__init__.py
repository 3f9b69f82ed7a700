"""What is kept as files on this machine."""
