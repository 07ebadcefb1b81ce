"""The commands of the pages for who connects a shop, pasted into a shell as a reader pastes them: each answers what the
page shows below it, where "..." stands for anything and what the page leaves out may be there."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deploy.local.folder import PROJECT
from shared.ids import new_id
from tests.e2e.test_erasure_canary import Caller
from tests.support.platform import Platform

_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "\x1eend of a block\x1e"
_POLICIES = ("recompute", "pro_rata", "item")


class Step(NamedTuple):
    """Commands, and what the page shows as the last answer, if it shows one."""

    commands: str
    shown: str | None


def steps(page: str) -> list[Step]:
    blocks = _FENCED.findall((PROJECT / "docs" / "api" / page).read_text())
    following = [*blocks[1:], ("", "")]
    return [
        Step(text, after if kind == "json" else None)
        for (language, text), (kind, after) in zip(blocks, following, strict=True)
        if language == "bash"
    ]


@pytest.fixture
def key(platform: Platform) -> str:
    made = platform.treue("tenants", "create", f"pages-{new_id().hex[-12:]}", "--currency", "EUR")
    return str(made["api_key"])


@pytest.mark.parametrize("page", ["ids-and-retries.md", "quickstart.md", "refunds.md"])
def test_a_page_does_what_it_shows(page: str, platform: Platform, key: str, tmp_path: Path) -> None:
    found = steps(page)
    assert found
    script = "".join(f"{step.commands}\nprintf '%s' '{_END}'\n" for step in found)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path,
        env=os.environ | {"URL": platform.base_url, "KEY": key},
    )  # fmt: skip
    answered = done.stdout.split(_END)[:-1]
    assert (done.returncode, len(answered)) == (0, len(found)), (done.stderr, done.stdout)
    for step, output in zip(found, answered, strict=True):
        if step.shown is not None:
            answer = documents(output)[-1]
            assert fits(json.loads(step.shown), answer), (step, answer)


def documents(output: str) -> list[Any]:
    """All answers in what was printed, one after the other."""
    decoder, found = json.JSONDecoder(), []
    text = output.strip()
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].lstrip()
    return found


def fits(shown: Any, answer: Any) -> bool:
    if isinstance(shown, dict):
        return isinstance(answer, dict) and all(
            name in answer and fits(value, answer[name]) for name, value in shown.items()
        )
    if isinstance(shown, list):
        return (
            isinstance(answer, list)
            and (bool(shown) or not answer)
            and all(any(fits(one, other) for other in answer) for one in shown)
        )
    if isinstance(shown, str):
        return re.fullmatch(re.escape(shown).replace(re.escape("..."), ".*"), str(answer)) is not None
    return bool(shown == answer)


def test_what_is_shown_must_be_answered() -> None:
    answer = {"a": [{"b": 1, "c": "xyz"}], "d": []}
    assert fits({"a": [{"c": "x..."}], "d": []}, answer)
    for wrong in ({"a": [{"b": 2}]}, {"a": []}, {"e": 1}, {"a": [{"c": "y..."}]}, {"d": [1]}):
        assert not fits(wrong, answer), wrong


def policies() -> dict[str, tuple[int, ...]]:
    """The page's table: what comes back, and the points that go by each policy."""
    page = (PROJECT / "docs" / "api" / "refunds.md").read_text()
    assert "| what comes back | `recompute` | `pro_rata` | `item` |" in page
    rows = re.findall(r"^\| ([^|`]+) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    return {what: tuple(map(int, points)) for what, *points in rows}


_MUG = {"line_id": "1", "quantity": 1}
_RETURNS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "0.90 without lines": ("0.90", []),
    "one mug, 19.95": ("19.95", [_MUG | {"amount": "19.95"}]),
    "one mug, of which 10.00 is given back": ("10.00", [_MUG | {"amount": "10.00"}]),
    "the tea, 10.00": ("10.00", [{"line_id": "2", "quantity": 1, "amount": "10.00"}]),
    "everything, 49.90": ("49.90", []),
}


@pytest.mark.parametrize("policy", _POLICIES)
def test_the_policies_take_what_the_page_says(policy: str, platform: Platform, key: str) -> None:
    shop = Caller(platform, key)
    assert shop("PUT", "/v1/programme", {"return_policy": policy})[0] == 200
    status, terms = shop("GET", "/v1/programme")
    assert (status, terms["return_policy"]) == (200, policy)
    common = {"customer_id": "bob", "currency": "EUR", "occurred_at": terms["recorded_at"]}
    lines = [
        {"line_id": "1", "sku": "mug", "quantity": 2, "unit_price": "19.95"},
        {"line_id": "2", "sku": "tea", "quantity": 1, "unit_price": "10.00"},
    ]
    taken = {}
    for number, (what, (money, back)) in enumerate(_RETURNS.items()):
        order = common | {"order_id": f"o-{number}"}
        shop.done("POST", "/v1/purchases", order | {"total": "49.90", "lines": lines})
        effects = shop.done("POST", "/v1/returns", order | {"total": money, "lines": back})["effects"]
        taken[what] = next(one["points"] for one in effects if one["kind"] == "points.clawed_back")
    assert taken == {what: points[_POLICIES.index(policy)] for what, points in policies().items()}
