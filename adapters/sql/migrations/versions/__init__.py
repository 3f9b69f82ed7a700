"""One module per migration; its revision is a number."""
