"""Publishing to Amazon SNS."""
