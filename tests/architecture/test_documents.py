"""Documents that lead somewhere, and decisions that can be found."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, tracked

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
# Whoever reads pyproject.toml knows what these are for.
OBVIOUS = {
    *(
        "alembic",
        "fastapi",
        "pydantic",
        "pydantic-settings",
        "sqlalchemy",
        "prometheus-client",
        "setuptools",
        "uv",
        "ruff",
    ),
    *("opentelemetry-api", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "mypy", "pytest"),
    *("pytest-asyncio", "pyyaml", "types-pyyaml", "types-psutil", "types-jsonschema"),
}


@pytest.mark.parametrize("name", sorted(name for name in tracked() if name.endswith(".md")))
def test_links_lead_somewhere(name: str) -> None:
    folder = (ROOT / name).parent
    targets = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", tracked()[name])
    assert [target for target in targets if not (folder / target).exists()] == []


@pytest.mark.parametrize("name", sorted(name for name in tracked() if name.endswith(".md")))
def test_files_that_documents_name_exist(name: str) -> None:
    """A path in backticks that begins with a room of the house is a promise."""
    told = re.findall(r"`((?:shared|services|deploy|tests|docs|benchmarks)/[\w./-]+)`", tracked()[name])
    assert [path for path in told if not (ROOT / path).exists()] == []


def test_decisions_are_counted_and_in_the_index() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    assert re.findall(r"\((\d{4}-[\w-]+\.md)\)", index) == [path.name for path in DECISIONS]


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_a_page_with_its_reasons(decision: Path) -> None:
    text = decision.read_text()
    assert text.startswith(f"# {int(decision.name[:4])}. ")
    assert [part for part in ("**Context.**", "**Choice.**", "**Consequences.**") if part not in text] in (
        [],
        ["**Choice.**"],  # a table may be the choice
    )
    assert len(text.splitlines()) <= 50


def test_dependencies_that_are_not_obvious_are_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    packages = {re.split(r"[\[<>=,]", entry)[0] for group in groups for entry in group if isinstance(entry, str)}
    told = next(path for path in DECISIONS if "dependencies" in path.name).read_text()
    assert {package for package in packages - OBVIOUS if not re.search(rf"\b{re.escape(package)}\b", told)} == set()
