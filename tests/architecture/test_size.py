"""The size budget: what does not fit on a screen is not read."""

import ast
from collections.abc import Iterator
from statistics import median

from tests.architecture.tree import ROOT, functions, modules

FILE_MEDIAN_MAX, FILE_MAX = 80, 300
FUNCTION_MEDIAN_MAX, FUNCTION_MAX = 8, 50

# A longer file that is clearer in one piece, and why.
LONG_FILES: dict[str, str] = {}


def _file_lines() -> dict[str, int]:
    lines = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules()}
    return {path: count for path, count in lines.items() if count >= 3}  # an empty room is no file


def _function_lines() -> Iterator[tuple[str, int]]:
    """Lines of every function; what is nested in it counts as a function of its own."""
    for path, module in modules().items():
        for function in functions(module):
            yield f"{path}:{function.lineno} {function.name}", _span(function) - sum(map(_span, _directly_in(function)))


def _span(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return (node.end_lineno or first) - first + 1


def _directly_in(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        else:
            yield from _directly_in(child)


def test_files_are_short() -> None:
    lines = _file_lines()
    assert median(lines.values()) <= FILE_MEDIAN_MAX
    assert {path: count for path, count in lines.items() if count > FILE_MAX and path not in LONG_FILES} == {}
    assert {path for path in LONG_FILES if lines.get(path, 0) <= FILE_MAX} == set(), (
        "no longer long: take it off the list"
    )


def test_functions_are_short() -> None:
    lines = dict(_function_lines())
    assert median(lines.values()) <= FUNCTION_MEDIAN_MAX
    assert {place: count for place, count in lines.items() if count > FUNCTION_MAX} == {}
