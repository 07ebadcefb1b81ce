"""What a profile may hold."""

import pytest

from services.gateway.ingest import rules
from services.gateway.ingest.kinds import CUSTOMERS
from tests.unit.gateway.bodies import reception
from tests.unit.gateway.test_corpus import assert_both_agree

GOOD = (
    "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",  # Persian, with a joiner that keeps letters apart
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "Ada\u00a0Lovelace",
    "Donau\u00addampf",
    "O'Neil",
)
BAD = ("", " ", "\u00a0", "Ada\nLovelace", "Ada\x00", "Ada\u202eecalevoL", "x" * 201)


@pytest.mark.parametrize("name", GOOD)
def test_a_name(name: str) -> None:
    assert rules.is_name(name)
    assert_both_agree(CUSTOMERS, {"customer_id": "c-1", "name": name}, reception())


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_name(name: str) -> None:
    assert not rules.is_name(name)
    assert_both_agree(CUSTOMERS, {"customer_id": "c-1", "name": name or None}, reception())


def test_letters_before_the_at_need_a_mail_server_that_takes_them() -> None:
    assert rules.email("jürgen@example.org", False) is None
    assert rules.email("jürgen@example.org", True) == "jürgen@example.org"
    assert rules.email("ada@bücher.example", False) == "ada@bücher.example"
    assert_both_agree(CUSTOMERS, {"customer_id": "c-1", "email": "jürgen@example.org"}, reception())
