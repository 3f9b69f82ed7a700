"""The HTTP server for Prometheus."""

import signal
import socket
import threading

import pytest
import urllib3

from adapters.telemetry.metrics.exposition import exposing
from adapters.telemetry.metrics.instruments import Metrics
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError
from tests.support.prometheus.scrapes import Scrape

LOOPBACK = "127.0.0.1"


def get(port: int, host: str = LOOPBACK, path: str = "/metrics") -> urllib3.BaseHTTPResponse:
    return urllib3.request("GET", f"http://{host}:{port}{path}", retries=False, timeout=240)


def test_the_registry_is_served_under_any_path_until_the_end() -> None:
    metrics = Metrics()
    metrics.refusals.labels("not-audio").inc()

    with exposing(metrics.registry, LOOPBACK, 0) as port:
        answers = [get(port, path=path) for path in ("/metrics", "/")]
    with pytest.raises(urllib3.exceptions.HTTPError):
        get(port)

    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].headers["content-type"].startswith("text/plain; version=")
    for answer in answers:
        assert Scrape.of(answer.data.decode()).value("uploads_refused_total", problem="not-audio") == 1


def test_two_registries_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    one.refusals.labels("not-audio").inc()

    with exposing(other.registry, LOOPBACK, 0) as port:
        text = get(port).data.decode()

    assert "not-audio" not in text


def test_only_the_loopback_interface_is_listened_on_by_default() -> None:
    settings = Settings.from_env({"METRICS_PORT": "0"})
    with exposing(Metrics().registry, settings.metrics_host, 0) as port, socket.socket() as beside:
        beside.bind(("127.0.0.2", port))  # free, as it would not be if all addresses were taken

    assert settings.metrics_host == LOOPBACK
    assert Settings.from_env({}).metrics_port is None


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_address_of_ipv6_will_do() -> None:
    with exposing(Metrics().registry, "::1", 0) as port:
        assert get(port, "[::1]").status == 200


def test_a_port_that_is_taken_is_a_configuration_error_that_names_it() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigurationError, match=f"^METRICS_PORT={port}: .*in use.* a port of its own"),
            exposing(Metrics().registry, LOOPBACK, port),
        ):
            pass


def test_two_processes_cannot_share_a_port() -> None:
    with (
        exposing(Metrics().registry, LOOPBACK, 0) as port,
        pytest.raises(ConfigurationError),
        exposing(Metrics().registry, LOOPBACK, port),
    ):
        pass


def test_an_address_of_another_machine_is_a_configuration_error() -> None:
    with (
        pytest.raises(ConfigurationError, match="METRICS_HOST"),
        exposing(Metrics().registry, "192.0.2.7", 0),
    ):
        pass


def test_connections_that_send_nothing_delay_neither_scrapes_nor_the_end() -> None:
    with exposing(Metrics().registry, LOOPBACK, 0) as port:
        silent = [socket.create_connection((LOOPBACK, port)) for _ in range(5)]
        answer = get(port)
    for each in silent:
        each.close()

    assert answer.status == 200


def test_signals_reach_the_threads_that_wait_for_them() -> None:
    masks: list[set[int]] = []

    class Noting:
        def collect(self) -> list[object]:
            masks.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
            return []

    metrics, before = Metrics(), signal.pthread_sigmask(signal.SIG_BLOCK, ())
    metrics.registry.register(Noting())  # type: ignore[arg-type]  # it has no metric
    with exposing(metrics.registry, LOOPBACK, 0) as port:
        get(port)

    assert {signal.SIGTERM, signal.SIGINT} <= masks[0]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_no_thread_is_left_behind() -> None:
    def threads() -> set[str]:
        return {each.name for each in threading.enumerate() if each.name == "metrics"}

    with exposing(Metrics().registry, LOOPBACK, 0):
        assert threads() == {"metrics"}

    assert threads() == set()
