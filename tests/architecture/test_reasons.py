"""docs/api/reasons.md knows every code and reason that the API can answer, and no other."""

import re

from tests.architecture.codes import rules, stable_words
from tests.architecture.tree import ROOT

PAGE = ROOT / "docs" / "api" / "reasons.md"
_ROW = re.compile(r"^\| `([a-z0-9_]+)` \|(.*)\|$", re.MULTILINE)


def _described(*, rules: bool) -> set[str]:
    """The words of the page: those of its section on rules, or of all others."""
    sections = PAGE.read_text().split("\n## ")
    return {
        word for each in sections if each.startswith("Rules of faults") == rules for word, _ in _ROW.findall(each)
    }  # fmt: skip


def test_every_code_and_reason_stands_in_the_page() -> None:
    described = _described(rules=False)
    missing = {word: place for word, place in stable_words().items() if word not in described}
    assert not missing, (
        f"docs/api/reasons.md misses what the code says: {missing}. "
        "Add a row to the table that fits: the word, what it means to a shop, and what the shop can do."
    )


def test_the_page_names_nothing_that_is_gone() -> None:
    gone = sorted(_described(rules=False) - stable_words().keys())
    assert not gone, (
        f"docs/api/reasons.md describes words that no code says any more: {gone}. Remove their rows, or, where "
        "the word is still said in another way, teach tests/architecture/codes.py that way."
    )


def test_every_rule_stands_in_the_page_and_no_other() -> None:
    described, known = _described(rules=True), rules()
    missing = {word: place for word, place in known.items() if word not in described}
    assert not missing, f"docs/api/reasons.md, section Rules of faults, misses {missing}: add a row to it"
    assert not described - known.keys(), "remove the rows of rules that no fault names any more"


def test_no_row_is_left_empty() -> None:
    rows = _ROW.findall(PAGE.read_text())
    assert [word for word, cells in rows if not all(cell.strip() for cell in cells.split(" | "))] == []
    for section in PAGE.read_text().split("\n## ")[1:]:
        words = [word for word, _ in _ROW.findall(section)]
        assert len(words) == len(set(words)), section.splitlines()[0]
