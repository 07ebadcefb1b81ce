"""Rules that no linter knows. Each answers with the places that break it."""

import ast
import re
import tomllib
from collections.abc import Iterable

import pytest

from tests.architecture.tree import ROOT, functions, modules, modules_of_tests, names, tracked

# Who may read the environment, and why; everybody else gets settings handed down.
READS_THE_ENVIRONMENT = {
    "shared/messaging/failpoints.py": "fault tests arm it, no deployment does",
    "shared/messaging/dead_letters.py": "the release's name, which the image carries",
}
# Floats in rooms that count, and why.
KEEPS_FLOATS = {
    "services/metrics/domain/figures.py": "shares and rates, computed last; money is a Decimal there too",
    "shared/events/compatibility.py": "an open bound is infinite",
}
SERVICES = ("gateway", "points", "notifications", "metrics")
ROOMS = ("__init__.py", "__main__.py", "settings.py", "bootstrap.py", "entrypoints/__init__.py", "migrations/versions")
BUSINESS = ("domain/__init__.py", "application/__init__.py", "adapters/__init__.py")


def _uses(name: str) -> list[str]:
    return [
        f"{path}:{line}"
        for path, module in modules().items()
        for used, line in names(module).items()
        if used == name or used.endswith(f".{name}")
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    wanted = ROOMS if service == "gateway" else ROOMS + BUSINESS
    assert [room for room in wanted if not (ROOT / "services" / service / room).exists()] == []


def test_middleware_is_pure_asgi() -> None:
    assert _uses("BaseHTTPMiddleware") == []
    assert _uses("app.middleware") == []


def test_only_settings_read_the_environment() -> None:
    readers = {place.partition(":")[0] for name in ("os.environ", "os.getenv", "os.environb") for place in _uses(name)}
    assert {path for path in readers if not path.startswith("deploy/")} == READS_THE_ENVIRONMENT.keys()


def test_settings_are_built_where_a_process_begins() -> None:
    built = {
        path
        for path, module in modules().items()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and re.fullmatch(r"\w*Settings", ast.unparse(node.func))
        if path.startswith("services/")
    }
    assert {path for path in built if not path.endswith(("__main__.py", "bootstrap.py"))} == set()


def test_nobody_but_the_clock_asks_the_time() -> None:
    asking = [place for name in ("datetime.now", "datetime.today", "date.today", "time.time") for place in _uses(name)]
    assert {place.partition(":")[0] for place in asking} <= {"shared/clock.py"}


def test_no_float_where_money_and_points_are_counted() -> None:
    rooms = ("shared/money.py", "shared/events/", "services/points/domain/", "services/metrics/domain/")
    counting = {path: module for path, module in modules().items() if path.startswith(rooms)}
    floats = [
        f"{path}:{node.lineno}"
        for path, module in counting.items()
        for node in ast.walk(module)
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]
    assert [place for place in floats if place.partition(":")[0] not in KEEPS_FLOATS] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [path for path, module in modules().items() if not ast.get_docstring(module)] == []


def test_every_function_is_annotated() -> None:
    """mypy strict says the same; this also holds where its configuration would be loosened."""
    bare = [
        f"{path}:{function.lineno} {function.name}"
        for path, module in modules().items()
        for function in functions(module)
        if function.returns is None or any(each.annotation is None for each in _arguments(function))
    ]
    assert bare == []
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert mypy["strict"]
    assert set(mypy["packages"]) == {"shared", "services", "deploy"}


def _arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterable[ast.arg]:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
    return [each for each in every if each.arg not in ("self", "cls")]


@pytest.mark.parametrize("word", ["utils", "helpers", "helper", "common", "manager", "misc", "base"])
def test_no_module_has_a_name_that_says_nothing(word: str) -> None:
    assert [path for path in modules() if re.search(rf"(^|/){word}(\.py|/)", path)] == []


def test_nothing_is_left_to_be_done() -> None:
    left = re.compile("|".join(rf"\b{word}\b" for word in ("TO" + "DO", "FIX" + "ME", "HA" + "CK")))
    assert _lines(left) == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    home = re.compile(r"(?<![\w.$}~-])/(work|root|home|Users|mnt)/\w")
    mirror = re.compile(
        r"https?://[^\s/]*(artifactory|nexus|jfrog|pypi|pythonhosted|npmjs|maven|sonatype|goproxy|\.internal|\.corp|\.lan)"
        r"|https?://(10|192\.168|172\.(1[6-9]|2\d|3[01]))\.|--(extra-)?index-url[ =]\S*//",
        re.IGNORECASE,
    )
    assert _lines(home) + _lines(mirror) == []


def test_no_test_is_ever_skipped() -> None:
    words = {"skip", "skipif", "xfail", "importorskip", "skipTest", "skipUnless", "SkipTest"}
    skipped = [
        f"{path}:{node.lineno}"
        for path, module in modules_of_tests().items()
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and node.attr in words
    ]
    assert skipped == []


def test_warnings_are_errors() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert options["filterwarnings"][0] == "error"


def _lines(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, content in tracked().items()
        for number, line in enumerate(content.splitlines(), 1)
        if pattern.search(line) and name != "tests/architecture/test_rules.py"
    ]
