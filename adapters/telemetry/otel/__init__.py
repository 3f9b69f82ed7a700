"""Traces by OpenTelemetry's SDK, an extra that is imported only where traces are switched on."""
