"""The stable words with which the API refuses, waits or leaves something undone, as the code has them."""

import ast
from collections.abc import Callable, Iterable, Iterator

from shared.http.faults import OTHER_RULE, RULES, rule_of
from tests.architecture.tree import modules

_ENUMS = ("Reason", "Refusal", "Unusable")
# Their words are a shop's own.
_EXAMPLES = ("examples.py", "answers.py")


def stable_words() -> dict[str, str]:
    """Each word, and a place that says it: codes of problems, reasons of events, entries, quotes and messages."""
    return _words(_said)


def rules() -> dict[str, str]:
    """The same for the rules that faults name: where we make a fault, and what becomes of pydantic's names."""
    of_the_library = dict.fromkeys((*RULES.values(), OTHER_RULE), "shared/http/faults.py")
    return of_the_library | {rule_of(word): place for word, place in _words(_rule).items()}


def _words(said: Callable[[ast.AST], Iterable[ast.AST | None]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, tree in modules().items():
        if path.startswith(("shared/", "services/")) and not path.endswith(_EXAMPLES):
            for word, line in _texts(tree, said):
                found.setdefault(word, f"{path}:{line}")
    return found


def _texts(tree: ast.Module, said: Callable[[ast.AST], Iterable[ast.AST | None]]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        for value in said(node):
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value, value.lineno


def _said(node: ast.AST) -> Iterator[ast.AST | None]:
    match node:
        case ast.Call():
            yield from _by_call(node)
        case ast.ClassDef():
            yield from _by_class(node)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if name.endswith(
            "_CODE"
        ):
            yield node.value
        case ast.Dict():
            yield from (v for k, v in zip(node.keys, node.values, strict=True) if _is(k, "reason"))


def _rule(node: ast.AST) -> Iterator[ast.AST]:
    """A rule stands in second place where a fault is made, and in first where a validator refuses."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        match node.func.id:
            case "Fault" | "PlacedFault":
                yield from node.args[1:2]
            case "PydanticCustomError" | "_refuse":
                yield node.args[0]


def _by_call(call: ast.Call) -> Iterator[ast.AST]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    yield from (each.value for each in call.keywords if each.arg == "code")
    if name == "Outcome":
        yield from call.args[1:2]
        yield from (each.value for each in call.keywords if each.arg == "reason")


def _by_class(definition: ast.ClassDef) -> Iterator[ast.AST | None]:
    for statement in definition.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if definition.name in _ENUMS or any(isinstance(each, ast.Name) and each.id == "code" for each in targets):
                yield statement.value


def _is(key: ast.AST | None, word: str) -> bool:
    return isinstance(key, ast.Constant) and key.value == word
