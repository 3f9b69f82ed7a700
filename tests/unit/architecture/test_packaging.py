"""Five folders with generic names must be ours in every environment (docs/adr/0001)."""

import importlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OURS = ("domain", "ports", "adapters", "entrypoints", "bootstrap")


@pytest.mark.parametrize("package", OURS)
def test_the_name_belongs_to_this_distribution_alone(package: str) -> None:
    owners = importlib.metadata.packages_distributions().get(package, ["batch-transcription"])
    file = importlib.import_module(package).__file__

    assert set(owners) == {"batch-transcription"}
    assert file is not None
    assert Path(file).is_relative_to(ROOT)


@pytest.mark.process
def test_the_wheel_holds_the_five_packages_and_works_outside_the_checkout(tmp_path: Path) -> None:
    uv = ROOT / ".uv" / "bin" / "uv"
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    subprocess.run([uv, "pip", "install", "--quiet", "--no-deps", "--target", site, wheel], check=True)

    assert {path.name for path in site.iterdir() if path.is_dir()} >= set(OURS)
    assert (site / "entrypoints" / "cli" / "recordings" / "demo.ogg").is_file()
    assert (site / "bootstrap" / "operator" / "cloudformation.json").is_file()
    assert (site / "bootstrap" / "operator" / "terraform.tf.json").is_file()
    program = "import entrypoints.cli.main, entrypoints.api.app as app; print(app.__file__)"
    output = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={"PYTHONPATH": str(site)},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert output.stdout.strip().startswith(str(site))


def test_boto3_is_pinned_to_one_version_everywhere() -> None:
    version = importlib.metadata.version("boto3")

    assert f'"boto3=={version}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"boto3=={version} \\" in (ROOT / "requirements.txt").read_text(encoding="utf-8")


def test_the_libraries_that_meet_hostile_input_are_new_enough() -> None:
    floors = {"starlette": (1, 3, 1), "h11": (0, 16, 0)}
    for name, floor in floors.items():
        version = tuple(int(part) for part in importlib.metadata.version(name).split(".")[:3])
        assert version >= floor, name


@pytest.mark.process
def test_no_credentials_can_be_committed_by_accident() -> None:
    for name in (".env", ".env.production", "credentials", ".aws/credentials", "deploy.pem"):
        ignored = subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False)
        assert ignored.returncode == 0, name
    example = subprocess.run(["git", "check-ignore", "-q", ".env.example"], cwd=ROOT, check=False)
    assert example.returncode == 1


def test_the_container_holds_nothing_that_only_the_demo_needs() -> None:
    assert "moto" not in (ROOT / "requirements.txt").read_text(encoding="utf-8")


def test_the_container_file_is_one_that_every_platform_takes() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()

    assert not any(line.startswith("VOLUME") for line in lines)
    assert 'CMD ["transcripts", "serve", "--host", "0.0.0.0"]' in lines
