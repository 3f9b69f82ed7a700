"""AWS: clients, credentials, and the embedded one of local runs."""
