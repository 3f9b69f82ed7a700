"""The installed command, run as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("transcripts")


def transcripts(
    *arguments: str | Path, cwd: Path | None = None, **environ: str
) -> "subprocess.CompletedProcess[str]":
    """Run `transcripts` to its end, with nothing of AWS in the environment but what is given."""
    return subprocess.run(
        [PROGRAM, *arguments],
        env=clean_environment(**environ),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def clean_environment(**environ: str) -> dict[str, str]:
    """What the command needs of this process's environment, and what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOCK_"))}
    without_aws = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return {**kept, **without_aws, **environ}
