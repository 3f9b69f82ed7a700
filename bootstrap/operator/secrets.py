"""Secrets that operators make."""

from adapters.web.webhook.signature import new_secret


def new_webhook_secret() -> str:
    """Make a secret for WEBHOOK_SECRETS: a random key of 256 bits."""
    return new_secret()
