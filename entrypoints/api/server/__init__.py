"""HTTP server, and its protocol with limits."""
