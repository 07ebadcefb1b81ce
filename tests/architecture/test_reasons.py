"""docs/api/reasons.md knows every code and reason that the API can answer, and no other."""

import re

from tests.architecture.codes import stable_words
from tests.architecture.tree import ROOT

PAGE = ROOT / "docs" / "api" / "reasons.md"
_ROW = re.compile(r"^\| `([a-z_]+)` \|(.*)\|$", re.MULTILINE)


def test_every_code_and_reason_stands_in_the_page() -> None:
    described = {word for word, _ in _ROW.findall(PAGE.read_text())}
    missing = {word: place for word, place in stable_words().items() if word not in described}
    assert not missing, (
        f"docs/api/reasons.md misses what the code says: {missing}. "
        "Add a row to the table that fits: the word, what it means to a shop, and what the shop can do."
    )


def test_the_page_names_nothing_that_is_gone() -> None:
    gone = [word for word, _ in _ROW.findall(PAGE.read_text()) if word not in stable_words()]
    assert not gone, (
        f"docs/api/reasons.md describes words that no code says any more: {gone}. Remove their rows, or, where "
        "the word is still said in another way, teach tests/architecture/codes.py that way."
    )


def test_no_row_is_left_empty() -> None:
    rows = _ROW.findall(PAGE.read_text())
    assert [word for word, cells in rows if not all(cell.strip() for cell in cells.split(" | "))] == []
    for section in PAGE.read_text().split("\n## ")[1:]:
        words = [word for word, _ in _ROW.findall(section)]
        assert len(words) == len(set(words)), section.splitlines()[0]
