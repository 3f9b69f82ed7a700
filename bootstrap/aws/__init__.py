"""AWS clients, and the embedded AWS of local runs."""
