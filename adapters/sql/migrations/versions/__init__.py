"""One module a migration; its revision is a number."""
