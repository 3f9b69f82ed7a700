"""Access to a Kafka cluster: addresses, topic and credentials, as librdkafka's configuration."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class KafkaAccess:
    """Topic of a cluster, and the credentials for it."""

    servers: str
    topic: str
    protocol: str = "plaintext"
    mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None

    @property
    def name(self) -> str:
        """Return the addresses of the cluster."""
        return f"Kafka at {self.servers}"

    def configuration(self) -> dict[str, str]:
        """Return the properties that are set."""
        properties = {
            "bootstrap.servers": self.servers,
            "security.protocol": self.protocol,
            "sasl.mechanism": self.mechanism,
            "sasl.username": self.username,
            "sasl.password": self.password,
            "ssl.ca.location": self.ca_file,
        }
        return {name: value for name, value in properties.items() if value is not None}
