"""Files in deploy/: durable data, orderly end, and a form that their tools accept."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.settings import Settings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
DATA = "/var/lib/batch-transcription"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def pod() -> dict[str, Any]:
    documents = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8"))
    (found,) = (each["spec"] for each in documents if each["kind"] == "StatefulSet")
    pod: dict[str, Any] = found["template"]["spec"] | {"claims": found["volumeClaimTemplates"]}
    return pod


@pytest.fixture(scope="module")
def worker_pod() -> dict[str, Any]:
    document = yaml.safe_load((DEPLOY / "kubernetes-worker.yaml").read_text(encoding="utf-8"))
    pod: dict[str, Any] = document["spec"]["template"]["spec"]
    return pod


@pytest.fixture(scope="module", params=["batch-transcription", "batch-transcription-worker"])
def unit(request: pytest.FixtureRequest) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd distinguishes capital letters
    parser.read_string((DEPLOY / f"{request.param}.service").read_text(encoding="utf-8"))
    return parser["Service"]


def test_the_container_has_one_folder_for_what_must_survive() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()

    assert f"    DATA_DIR={DATA}" in lines
    assert f"RUN install -d -o transcripts -m 0700 {DATA}" in lines
    assert f"-v transcripts:{DATA}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_compose_has_service_worker_database_and_relay_each_with_limits_a_probe_and_time_to_end(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]

    assert set(services) == {"service", "postgres", "relay", "worker"}
    for name, service in services.items():
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, name
        assert "stop_grace_period" in service, name
        assert service["restart"] == "unless-stopped", name
        assert name == "service" or service["healthcheck"]["test"], name  # the container has its own
    assert services["service"]["volumes"] == services["worker"]["volumes"] == [f"uploads:{DATA}"]
    assert (
        services["service"]["environment"]["DATABASE_URL"]
        == services["worker"]["environment"]["DATABASE_URL"]
    )
    assert services["service"]["environment"]["JOB_WORKERS"] == 0  # the worker has them
    assert set(compose["volumes"]) == {"uploads", "events"}


def test_the_pod_has_a_volume_probes_limits_and_time_to_end(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}

    assert [claim["metadata"]["name"] for claim in pod["claims"]] == ["data"]
    assert mounts["data"] == DATA
    assert {
        name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")
    } == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}
    assert pod["terminationGracePeriodSeconds"] >= Settings().shutdown_grace_seconds + 600
    assert pod["securityContext"]["runAsUser"] == 10001  # the container's own


def test_a_worker_pod_shares_database_and_recordings_and_has_limits_and_time_to_end(
    worker_pod: dict[str, Any], pod: dict[str, Any]
) -> None:
    (container,) = worker_pod["containers"]
    from_secret = {each["name"] for each in container["env"] if "valueFrom" in each}

    assert container["args"] == ["transcripts", "worker"]
    assert from_secret == {"DATABASE_URL", "RECORDING_STORE"}
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}
    assert worker_pod["terminationGracePeriodSeconds"] >= 30
    assert worker_pod["serviceAccountName"] == pod["serviceAccountName"]
    assert worker_pod["securityContext"]["runAsUser"] == 10001  # the container's own


def test_the_unit_has_a_folder_limits_and_time_to_end(unit: configparser.SectionProxy) -> None:
    assert f"DATA_DIR={DATA}" in unit["Environment"]
    assert f"/var/lib/{unit['StateDirectory']}" == DATA
    assert unit["KillMode"] == "mixed"  # or the workers would get SIGTERM during their recordings
    assert {"CPUQuota", "MemoryMax", "TimeoutStopSec"} <= set(unit)


def test_the_variables_that_the_files_set_are_settings(
    compose: dict[str, Any],
    pod: dict[str, Any],
    worker_pod: dict[str, Any],
    unit: configparser.SectionProxy,
) -> None:
    ours = [compose["services"][name]["environment"] for name in ("service", "worker", "relay")]
    named = {name for environment in ours for name in environment}
    for each in (pod, worker_pod):
        named |= {variable["name"] for variable in each["containers"][0]["env"]}
    named |= set(re.findall(r"(\w+)=", unit["Environment"]))

    assert {name for name in named if name.lower() not in Settings.model_fields} == set()


@pytest.mark.process
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", ["batch-transcription.service", "batch-transcription-worker.service"])
def test_systemd_takes_the_unit(tmp_path: Path, name: str) -> None:
    text = (DEPLOY / name).read_text(encoding="utf-8")
    program = Path(sys.executable).with_name("transcripts")
    unit = tmp_path / name
    unit.write_text(text.replace("/opt/batch-transcription/.venv/bin/transcripts", str(program)), "utf-8")

    told = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)

    assert told.returncode == 0
    assert "batch-transcription" not in told.stderr, (
        told.stderr
    )  # other units of this machine may have errors


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not installed")
def test_compose_takes_its_file(tmp_path: Path) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    command = ["docker-compose", "-f", "deploy/compose.yaml", "config", "--quiet"]

    told = subprocess.run(
        command,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "POSTGRES_PASSWORD": "x"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (told.returncode, told.stderr) == (0, "")
