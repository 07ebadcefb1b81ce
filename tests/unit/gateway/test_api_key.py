"""The form of API keys."""

import re

import pytest

from services.gateway.auth.api_key import is_secret_of, mint, parse, secret_hash
from shared.observability.logging import _SECRETS


def test_a_key_reads_back() -> None:
    key = mint("live")
    assert parse(key.text) == key
    assert re.fullmatch(r"treue_live_[0-9A-Za-z]{22}_[0-9A-Za-z]{39}", key.text)
    assert key.secret not in repr(key)


def test_keys_differ() -> None:
    assert len({mint("test").text for _ in range(100)}) == 100


def test_no_single_character_can_be_changed_dropped_or_added() -> None:
    text = mint("test").text
    for place in range(len(text)):
        other = "a" if text[place] != "a" else "b"
        assert parse(text[:place] + other + text[place + 1 :]) is None, place
        assert parse(text[:place] + text[place + 1 :]) is None
    assert parse(text + "x") is None
    assert parse(text.upper()) is None


@pytest.mark.parametrize("text", ["", "treue_live_x", "x" * 10_000, "treue_live_" + "\u0663" * 22 + "_" + "a" * 39])
def test_other_texts_are_no_keys(text: str) -> None:
    assert parse(text) is None


def test_the_hash_needs_the_pepper() -> None:
    key = mint("live")
    stored = secret_hash(key.secret, "pepper")
    assert is_secret_of(key.secret, "pepper", stored)
    assert not is_secret_of(key.secret, "salt", stored)
    assert not is_secret_of(key.secret[:-1], "pepper", stored)
    assert key.secret.encode() not in stored


def test_the_log_strikes_keys_out() -> None:
    assert mint("live").secret not in _SECRETS.sub("", f"refused {mint('live').text}")
