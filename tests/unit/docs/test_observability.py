"""Documents, alerts and dashboard name metrics that exist, with the labels that they have."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.in_memory import InMemoryProcessedEvents
from adapters.telemetry.metrics.authenticator import MeteredAuthenticator
from adapters.telemetry.metrics.collectors import ConsumerCollector, JwksCollector
from adapters.telemetry.metrics.handler import MeteredEventHandler
from domain.model.access import Caller, Credentials
from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import UnauthenticatedError
from domain.services.consuming.consumer import Consumer
from ports.authenticator_port import AuthenticatorPort
from tests.support.doubles.queue import Clock, InMemoryQueue
from tests.support.harness.consumer import SteeredHandler
from tests.support.harness.observed import observed
from tests.support.prometheus.evaluation import SCRAPE_LABELS, Rules
from tests.support.prometheus.expressions import Node, groupings, parse, selectors
from tests.support.prometheus.scrapes import Scrape
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[3] / "docs"
RULES = Rules.read(DOCS / "observability" / "alerts.yml")
DASHBOARD = json.loads((DOCS / "observability" / "dashboard.json").read_text(encoding="utf-8"))
GUIDE = (DOCS / "observability.md").read_text(encoding="utf-8")
FOREIGN = ("process_", "python_")
PARTS = ("_bucket", "_count", "_sum")


class Denying(AuthenticatorPort):
    async def identify(self, credentials: Credentials, /) -> Caller:
        raise UnauthenticatedError(f"no credentials in {len(credentials.headers)} headers")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scrape]:
    """A scrape of a process that does all that processes of this service do."""
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        observed(tmp_path_factory.mktemp("service"), monkeypatch) as service,
    ):
        service.upload()
        service.api.post("/batch/process")
        service.container.relay().step()
        metrics, handler = (
            service.metrics,
            MeteredEventHandler(SteeredHandler(), service.metrics, group="crm"),
        )
        handler.handle(ReceivedEvent(an_event()))
        consumer = Consumer(InMemoryQueue(Clock()), handler, InMemoryProcessedEvents())
        metrics.registry.register(ConsumerCollector(consumer, group="crm"))
        metrics.registry.register(JwksCollector(lambda: 1.0))
        with pytest.raises(UnauthenticatedError):
            asyncio.run(MeteredAuthenticator(Denying(), metrics).identify(Credentials({})))
        yield service.scrape()


def labels_by_metric(scrape: Scrape) -> dict[str, set[str]]:
    names = {sample.name for sample in scrape.samples}
    recorded = {name: {"job"} for name in RULES.records}
    return {name: scrape.labels_of(name) for name in names} | recorded


def panels() -> Iterator[tuple[str, Node]]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], parse(target["expr"])


def unknown(nodes: dict[str, Node], known: dict[str, set[str]]) -> set[str]:
    """Return what expressions name, and no process has."""
    found = set()
    for place, node in nodes.items():
        for each in selectors(node):
            wanted = {label for label, *_ in each.matchers}
            if each.name not in known or wanted - known[each.name]:
                found.add(f"{place}: {each.name} {wanted}")
        for by, names in groupings(node):
            found |= {f"{place}: {name} by {by}" for name in names if set(by) - known.get(name, set())}
    return found


def test_every_metric_and_label_of_the_alerts_exists(everything: Scrape) -> None:
    assert unknown(RULES.alerts | RULES.records, labels_by_metric(everything)) == set()


def test_every_metric_and_label_of_the_dashboard_exists(everything: Scrape) -> None:
    nodes = {f"{title} {number}": node for number, (title, node) in enumerate(panels())}

    assert unknown(nodes, labels_by_metric(everything)) == set()


def test_a_misspelt_metric_or_label_would_be_found(everything: Scrape) -> None:
    wrong = (
        'max(outbox_event{state="rejected"})',
        'outbox_events{status="rejected"}',
        "sum by (kind) (jobs)",
    )
    nodes = {text: parse(text) for text in wrong}

    assert len(unknown(nodes, labels_by_metric(everything))) == 3


def test_the_guide_has_each_metric_with_its_labels_and_no_other(everything: Scrape) -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| \w+:? ?([`\w, ]*) \|", GUIDE, re.MULTILINE)
    told = {
        metric: set(re.findall(r"`(\w+)`", labels))
        for metrics, labels in rows
        for metric in re.findall(r"`(\w+)`", metrics)
    }
    found = {
        re.sub(f"({'|'.join(PARTS)})$", "", sample.name): set(sample.labels) - SCRAPE_LABELS - {"le"}
        for sample in everything.samples
        if not sample.name.startswith(FOREIGN)
    }

    assert told == found


def test_each_alert_has_a_severity_a_summary_and_advice() -> None:
    advice = {
        name for row in re.findall(r"^\| (`[A-Z].*?) \|", GUIDE, re.MULTILINE) for name in row.split(", ")
    }

    assert {f"`{name}`" for name in RULES.alerts} == advice
    for name, rule in RULES.documents.items():
        assert rule["labels"]["severity"] in {"page", "ticket"}, name
        assert rule["annotations"]["summary"].endswith("."), name


def test_the_dashboard_can_be_imported() -> None:
    titles = [panel["title"] for panel in DASHBOARD["panels"]]
    variables = {each["name"] for each in DASHBOARD["templating"]["list"]}

    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(titles) == len(set(titles))
    assert variables == {"datasource", "job"}
    for panel in DASHBOARD["panels"]:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
