"""Webhook: sends events to an HTTPS endpoint, signed by Standard Webhooks 1.0."""
