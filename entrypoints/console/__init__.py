"""Console: the pages for people, static files over the public API."""
