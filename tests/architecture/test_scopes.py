"""docs/api/scopes.md says of every operation and every scope what the document says."""

import re

from services.gateway.entrypoints.scopes import NEEDS, Need
from shared.auth.scopes import SCOPES
from tests.architecture.tree import ROOT

PAGE = ROOT / "docs" / "api" / "scopes.md"
_ROW = re.compile(r"^\| (`[A-Z]+ /v1/.*`) \| (.+) \| (yes|no)\b.* \|$", re.MULTILINE)
_OPERATION = re.compile(r"`([A-Z]+) (/v1/[^`]*)`")


def test_the_page_says_of_every_operation_who_may() -> None:
    said = {
        (method.lower(), path): Need(tuple(re.findall(r"`([a-z:]+)`", scopes)), customer == "yes")
        for operations, scopes, customer in _ROW.findall(PAGE.read_text())
        for method, path in _OPERATION.findall(operations)
    }
    assert said == NEEDS


def test_the_page_explains_every_scope() -> None:
    explained = re.findall(r"^\| `([a-z]+(?::[a-z]+)?)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(explained) == sorted(SCOPES)
