"""Settings of telemetry: where metrics are served, and where traces go to."""

from pydantic import Field

from bootstrap.fields import Count, Url
from bootstrap.settings.group import SettingsGroup


class TelemetrySettings(SettingsGroup):
    """Address of the metrics, and collector of traces; without them, nothing is measured.

    OpenTelemetry's SDK reads its other variables by itself.
    """

    metrics_port: Count | None = Field(
        default=None, ge=0, le=65535, description="a port, such as 9464; 0 for a free one"
    )
    metrics_host: str = Field(default="127.0.0.1", min_length=1)
    otel_exporter_otlp_endpoint: Url | None = None
    otel_exporter_otlp_traces_endpoint: Url | None = None

    @property
    def traces_url(self) -> str | None:
        """URL to which traces are sent, as OpenTelemetry derives it; None without tracing."""
        if self.otel_exporter_otlp_traces_endpoint is not None:
            return self.otel_exporter_otlp_traces_endpoint
        base = self.otel_exporter_otlp_endpoint
        return None if base is None else f"{base.rstrip('/')}/v1/traces"
