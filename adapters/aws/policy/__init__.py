"""Resource policies: their evaluation, and their statements."""
