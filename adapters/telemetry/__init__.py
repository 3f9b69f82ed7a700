"""Adapters that measure: metrics for Prometheus and traces for OpenTelemetry, as decorators of ports."""
