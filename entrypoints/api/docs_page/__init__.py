"""Page about the API at /docs: Swagger UI, without another host and under a strict policy of contents."""
