"""AWS clients and credentials, and the embedded AWS of local runs."""
