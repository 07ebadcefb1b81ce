"""The table on the screen, results.json, and docs/performance.md made of it and of analysis.md."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.harness import Goal, Row
from deploy.local.folder import PROJECT

RESULTS = Path(__file__).parent / "results.json"
ANALYSIS = Path(__file__).parent / "analysis.md"
DOCUMENT = PROJECT / "docs" / "performance.md"


def show(console: Console, rows: Sequence[Row]) -> None:
    """As a table."""
    table = Table("benchmark", "ours", "limit", "ratio", "spread", "reach", "aim", "")
    for row in rows:
        low, high = row.spread
        table.add_row(
            row.name, f"{_number(row.ours)} {row.unit}", _number(row.limit), _number(row.ratio),
            f"{_number(low)} .. {_number(high)}", _goal(row.goal, "reach"), _goal(row.goal, "aim"), _verdict(row),
        )  # fmt: skip
    console.print(table)


def save(rows: Sequence[Row], run: Mapping[str, Any]) -> None:
    """Write results.json, keeping what this run did not measure and what a full run did, and the document."""
    known = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else {}
    full = {name for name, row in known.items() if row["run"]["mode"] == "full"}
    measured = {row.name: row.as_json() | {"run": run} for row in rows if run["mode"] == "full" or row.name not in full}
    RESULTS.write_text(json.dumps({"rows": known | measured}, indent=2, default=str) + "\n")
    write_document()


def write_document() -> None:
    """docs/performance.md from what is stored."""
    results = json.loads(RESULTS.read_text())["rows"]
    analysis = ANALYSIS.read_text() if ANALYSIS.exists() else ""
    DOCUMENT.write_text(_HEAD + _table(results) + "\n" + _details(results) + "\n" + analysis)


_HEAD = """# Speed

Written by `make bench` from `benchmarks/results.json` and `benchmarks/analysis.md`; edit those.

Each benchmark measures the platform and the limit in turn, in one run, on the same machine, Postgres with fsync and
synchronous commit on.

"""


def _table(results: Mapping[str, Any]) -> str:
    lines = [
        "| benchmark | what | limit | ours | limit's | ratio | spread | reach | aim | reached | rounds, run |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in results.items():
        goal = Goal(**row["goal"]) if row["goal"] else None
        verdict = "-" if row["reached"] is None else "yes" if row["reached"] else "**no**"
        low, high = row["spread"]
        run = row["run"]
        cells = (
            f"`{name}`", row["what"], row["limit_is"], f"{_number(row['ours'])} {row['unit']}", _number(row["limit"]),
            f"**{_number(row['ratio'])}**", f"{_number(low)} .. {_number(high)}", _goal(goal, "reach"),
            _goal(goal, "aim"), verdict, f"{row['rounds']}, {run['mode']}, {run['commit']}",
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _details(results: Mapping[str, Any]) -> str:
    found = ["## What else was measured in the same rounds\n"]
    for name, row in results.items():
        if row["details"]:
            shown = ", ".join(
                f"{key} {_number(value) if isinstance(value, int | float) else value}"
                for key, value in row["details"].items()
            )
            found.append(f"- `{name}`: {shown}")
    return "\n".join(found) + "\n"


def _goal(goal: Goal | None, which: str) -> str:
    return "-" if goal is None else f"{'<= ' if goal.smaller else ''}{_number(getattr(goal, which))}"


def _verdict(row: Row) -> str:
    if row.goal is None:
        return ""
    return "[green]reached[/]" if row.goal.is_reached(row.ratio) else "[red]not reached[/]"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
