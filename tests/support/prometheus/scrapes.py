"""Scrapes of this service's metrics, as Prometheus stores them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

TARGET = {"job": "batch-transcription", "instance": "127.0.0.1:9464"}
"""Labels that Prometheus adds to each sample."""

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]


class Sample(NamedTuple):
    """One value of one series."""

    name: str
    labels: dict[str, str]
    value: float


@dataclass
class Scrape:
    """Samples of one moment."""

    at: float  # seconds
    samples: list[Sample] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, at: float = 0.0) -> "Scrape":
        """Read an exposition."""
        families = text_string_to_metric_families(text)
        samples = [
            Sample(each.name, each.labels | TARGET, each.value) for f in families for each in f.samples
        ]
        return cls(at, samples)

    def value(self, name: str, **labels: str) -> float | None:
        """Return the value of the only series with these labels; None if there is none."""
        found = [
            each.value for each in self.samples if each.name == name and labels.items() <= each.labels.items()
        ]
        assert len(found) < 2, f"{name} {labels} is not one series"
        return found[0] if found else None

    def labels_of(self, name: str) -> set[str]:
        """Return the names of the labels that any series of a metric has."""
        return {label for each in self.samples if each.name == name for label in each.labels}


def scraped(registry: CollectorRegistry, at: float = 0.0) -> Scrape:
    """Scrape a registry of this process."""
    return Scrape.of(generate_latest(registry).decode(), at)
