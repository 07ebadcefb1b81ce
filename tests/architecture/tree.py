"""The house as the rules see it: its files, and what stands in them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The code that the rules are about. Migrations are frozen history.
ROOMS = ("shared", "services", "deploy")


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the product, by its path from the root."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if "versions" not in path.parts
    }


@cache
def modules_of_tests() -> dict[str, ast.Module]:
    """Every module of the tests."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "tests").rglob("*.py"))
    }


def functions(module: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions of a module, nested ones too."""
    return [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def names(module: ast.Module) -> dict[str, int]:
    """What a module uses, `a.b.c` as it is written, and the first line of each."""
    found: dict[str, int] = {}
    for node in ast.walk(module):
        match node:
            case ast.Attribute() | ast.Name():
                found.setdefault(ast.unparse(node), node.lineno)
            case ast.ImportFrom():
                for alias in node.names:
                    found.setdefault(f"{node.module}.{alias.name}", node.lineno)
            case _:
                pass
    return found


@cache
def tracked() -> dict[str, str]:
    """All text files that are, or are about to be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    found = {}
    for name in filter(None, listed):
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b"\0"
        if b"\0" not in data:
            found[name] = data.decode("utf-8")
    return found
