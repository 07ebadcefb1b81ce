"""deploy/Dockerfile copies what exists, and what it copies is enough."""

import subprocess
import sys

import pytest

from deploy.environment import SERVICES
from deploy.local.folder import PROJECT

LINES = (PROJECT / "deploy" / "Dockerfile").read_text().splitlines()


def test_what_it_copies_exists() -> None:
    copied = [line.split()[1] for line in LINES if line.startswith("COPY ") and "--from" not in line]
    assert copied
    for service in SERVICES:
        for path in copied:
            assert (PROJECT / path.replace("${SERVICE}", service)).exists(), path


def test_it_does_not_run_as_root_and_installs_by_hash() -> None:
    assert [line for line in LINES if line.startswith("USER ")] == ["USER 10001"]
    assert any("--require-hashes" in line for line in LINES)


@pytest.mark.parametrize("group", [*SERVICES, "operator", "local", "dev", "uv"])
def test_every_lock_pins_by_hash_and_holds_no_address(group: str) -> None:
    text = (PROJECT / "requirements" / f"{group}.txt").read_text()
    pinned = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
    assert pinned
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text
    assert "/root" not in text


def test_the_bootstrap_job_needs_no_more_than_its_lock() -> None:
    """rich, typer and the local stack's packages are not in the operator's image."""
    script = "import sys, deploy.bootstrap; print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"rich", "typer", "supervisor", "psutil", "httpx", "jgo"} & set(loaded)
