"""Who may import whom: the contracts of pyproject.toml, and that they would notice."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOMS, ROOT

LINT = Path(sys.executable).parent / "lint-imports"


def _lint(folder: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(folder), "NO_COLOR": "1"}
    command = [str(LINT), "--no-cache", "--config", str(folder / "pyproject.toml")]
    piped, merged = subprocess.PIPE, subprocess.STDOUT
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=piped, stderr=merged, text=True, check=False
    ).stdout


def test_the_contracts_hold() -> None:
    answer = _lint(ROOT)
    assert re.search(r"Contracts: \d+ kept, 0 broken", answer), answer


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same code elsewhere, to plant faults in."""
    folder = tmp_path_factory.mktemp("house")
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


PLANTED = {
    "Services never import each other": ("services/points/__init__.py", "import services.metrics"),
    "shared never imports a service": ("shared/__init__.py", "import services.points"),
    "aiokafka only in shared.messaging": ("shared/http/__init__.py", "import aiokafka"),
    "The domain is pure": ("services/points/domain/__init__.py", "import sqlalchemy"),
    "The rooms of a service": ("services/points/domain/__init__.py", "import services.points.bootstrap"),
}


def test_each_contract_notices_a_fault(copy: Path) -> None:
    for room, line in set(PLANTED.values()):
        with (copy / room).open("a") as module:
            module.write(f"\n{line}\n")
    answer = _lint(copy)
    for contract in PLANTED:
        assert re.search(rf"^{re.escape(contract)}.* BROKEN", answer, re.MULTILINE), f"{contract}:\n{answer}"
