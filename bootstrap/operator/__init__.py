"""What the tools of an operator look at and print."""
