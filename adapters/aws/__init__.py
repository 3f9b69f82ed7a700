"""EventBridge and SQS behind the ports; the only place that knows botocore."""
