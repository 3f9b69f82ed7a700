import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bootstrap.aws.embedded import embedded_aws
from bootstrap.container import Container
from bootstrap.settings import Settings
from domain.model.errors import TranscriptionServiceError
from domain.model.events.event import BatchProcessingCompleted
from domain.model.route.route import Finding, ProvisioningReport, RouteComponent
from entrypoints.cli.commands import demo
from tests.support.harness.installed_command import transcripts
from tests.support.harness.ports import free_port
from tests.support.samples.recordings import DEMO_TEXT, DEMO_TRANSCRIPT

pytestmark = [pytest.mark.slow, pytest.mark.process]


class Uploads(BaseHTTPRequestHandler):
    """Accepts every upload, and keeps the bodies."""

    bodies: list[bytes]

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def upload_server(bodies: list[bytes]) -> Iterator[str]:
    handler = type("Handler", (Uploads,), {"bodies": bodies})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_demo_goes_from_the_recording_to_its_consumer_under_any_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("TRANSCRIBER=canned\nEVENT_SOURCE=com.example\n", encoding="utf-8")

    proxy = f"http://127.0.0.1:{free_port()}"
    proxies = {"HTTP_PROXY": proxy, "http_proxy": proxy, "NO_PROXY": "", "no_proxy": ""}
    settings = {"EVENTBRIDGE_BUS_NAME": "missing", "QUEUE_NAME": "other", "DATABASE_URL": "oracle://x"}

    result = transcripts("demo", "--json", **settings, **proxies)

    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    event = BatchProcessingCompleted.model_validate_json(json.dumps(report["message"]["detail"]))
    assert report["answer"]["raw_transcript"] == DEMO_TRANSCRIPT
    assert report["answer"]["event"]["status"] == "published"
    assert report["message"]["id"] == report["answer"]["event"]["event_id"]
    assert report["message"]["source"] == "com.yourapp.transcription"
    assert str(event.interaction_id) == report["answer"]["interaction_id"]
    assert event.data.cleaned_transcript == report["answer"]["cleaned_transcript"]
    assert len(report["seconds"]) == 4


def test_a_recording_of_any_name_is_uploaded(tmp_path: Path) -> None:
    recording = tmp_path / "caf\udce9.wav"
    recording.write_bytes(b"sound")
    bodies: list[bytes] = []

    with upload_server(bodies) as url:
        assert demo.upload(url, recording) == {}

    assert rb'filename="caf\udce9.wav"' in bodies[0]


def test_the_text_of_the_shipped_recording_is_shipped_with_it() -> None:
    references = json.loads(demo.RECORDING.with_name("references.json").read_text(encoding="utf-8"))

    text = references[demo.RECORDING.name]["text"]

    assert text.lower().replace(".", "") == DEMO_TEXT


def test_the_embedded_aws_hides_every_real_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")

    with embedded_aws() as environ:
        assert "AWS_PROFILE" not in environ
        assert "AWS_SESSION_TOKEN" not in environ
        assert environ["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")


def test_the_embedded_aws_is_met_with_the_settings_of_a_machine_where_none_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "surprise")
    for name in ("LOG_FORMAT", "LOG_LEVEL", "TRANSCRIBER_WORKERS"):
        monkeypatch.delenv(name)

    with embedded_aws() as environ:
        settings = Settings.from_env(environ)

    changed = {name for name in settings.model_fields_set if name != "aws_region"}
    assert changed == {"aws_endpoint_url", "event_transport", "data_dir"}
    assert not Path(settings.database_url.removeprefix("sqlite:///")).parent.exists()


def test_a_service_that_ends_differs_from_one_that_is_not_ready() -> None:
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as ended:
        ended.wait()
        with pytest.raises(TranscriptionServiceError, match="exit status 3"):
            demo.wait_until_ready("http://127.0.0.1:9", ended)

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as silent:
        with pytest.raises(TranscriptionServiceError, match="not become ready"):
            demo.wait_until_ready("http://127.0.0.1:9", silent, seconds=0.1)
        silent.kill()


def test_a_route_that_is_broken_after_provisioning_ends_the_demo() -> None:
    finding = Finding(RouteComponent.RULE, "The rule is disabled.", "State=DISABLED", "enable it")

    class Infrastructure:
        def provision(self) -> ProvisioningReport:
            return ProvisioningReport((), "", "", "", (finding,))

    container = Container()
    container.completed.infrastructure.override(Infrastructure())

    with pytest.raises(TranscriptionServiceError, match="The rule is disabled"):
        demo.provision(container)
