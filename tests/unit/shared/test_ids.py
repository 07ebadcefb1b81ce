"""Ids that are derived are the same wherever and whenever they are derived."""

import subprocess
import sys
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import derived_id, event_id, new_id, ordered_id

CAUSE = UUID("5f0c7a52-5a53-5d3c-8f5e-2d8a6f2f7c11")
# One process, one hash seed, prints one of each; the values stand below and never change.
_PRINT = (
    "from uuid import UUID; from shared.ids import derived_id, event_id, ordered_id;"
    f"cause = UUID('{CAUSE}');"
    "print(event_id('acme', 'till', 'o-1'), derived_id(cause, 'points.earned'));"
    "print(ordered_id(1773489600000, cause, 'earn'))"
)
KNOWN = (
    "3e5fd12d-1299-54f9-88c8-cd0e37d2b818",
    "ce6e4bda-d241-5105-9b7b-89251b7acf8a",
    "019cec37-b600-7092-b53c-2c850483f1e7",
)
# Tenants and sources are names of ours, without line ends; a caller's key is any text.
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=9)
KEYS = st.text(st.characters(codec="utf-8"), max_size=20)
CALLS = st.tuples(NAMES, NAMES, KEYS)


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_derived_ids_do_not_depend_on_the_process(seed: str) -> None:
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}
    printed = subprocess.run(
        [sys.executable, "-c", _PRINT], env=environment, capture_output=True, check=True, text=True
    )
    assert tuple(printed.stdout.split()) == KNOWN


@given(CALLS, CALLS)
def test_an_event_id_is_the_same_only_for_the_same_tenant_source_and_key(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert (event_id(*one) == event_id(*other)) == (one == other)


@given(st.uuids(), KEYS, KEYS)
def test_consequences_of_one_event_are_told_apart_by_their_name(cause: UUID, one: str, other: str) -> None:
    assert (derived_id(cause, one) == derived_id(cause, other)) == (one == other)


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**48 - 1), st.uuids(), st.uuids())
def test_ordered_ids_are_valid_and_sort_by_their_time(early: int, late: int, one: UUID, other: UUID) -> None:
    first, second = ordered_id(early, one, "earn"), ordered_id(late, other, "earn")
    assert first == ordered_id(early, one, "earn")
    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert first.int >> 80 == early
    if early != late:
        assert (first < second) == (early < late)


def test_fresh_ids_differ_and_grow() -> None:
    made = [new_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert made == sorted(made)
    assert {one.version for one in made} == {7}
