"""Publishing to EventBridge."""
