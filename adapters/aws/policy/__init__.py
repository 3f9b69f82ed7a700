"""Resource policies: what they say, and what they allow."""
