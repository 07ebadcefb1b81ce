"""What commands print: JSON on stdout for scripts, or text for people. Progress always goes to stderr."""

import json
import sys
from contextvars import ContextVar
from typing import Any

from rich.console import Console, RenderableType

_WIDTH_OF_FILES = 200

_as_json: ContextVar[bool] = ContextVar("as_json", default=False)


def use_json(wanted: bool) -> None:
    _as_json.set(wanted)


def show(value: Any, *for_people: RenderableType) -> None:
    """A command's result: `value` when --json was given, else what is for people."""
    if _as_json.get():
        sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    else:
        # A soft wrap: lines that will be copied (commands, keys) must not be broken. Files have no width.
        width = None if sys.stdout.isatty() else _WIDTH_OF_FILES
        Console(width=width).print(*for_people, sep="\n", soft_wrap=True)


def progress() -> Console:
    """Where steps, remarks and progress bars go."""
    return Console(stderr=True)


def show_problem(what: str, next_step: str) -> None:
    if _as_json.get():
        sys.stdout.write(json.dumps({"error": what, "next_step": next_step}) + "\n")
    errors = Console(stderr=True, highlight=False)
    errors.print(what, style="red", markup=False, soft_wrap=True)
    errors.print(next_step, markup=False, soft_wrap=True)
