"""Row 18: records that are no events, on the real topic. They are kept and listed; everybody else goes on.

Row 19, a release whose handlers fail for all, is tests/integration/shared/test_consumer.py:
test_a_handler_that_fails_for_all_stops_the_consumer. Row 24, a topic that is not the one that was applied, is
tests/integration/shared/test_claiming.py."""

from contextlib import closing
from typing import Any

from deploy.chaos.load import PURCHASES, Memory, purchase
from tests.support.asking import wait_for
from tests.support.load import load_on, open_court
from tests.support.platform import Platform
from tests.support.topic_tap import records, write


def test_poison_is_kept_and_listed_and_stops_nobody(platform: Platform) -> None:
    good = _a_good_record(platform)
    key, headers = good.key, list(good.headers)
    with load_on(platform) as load:
        poison = [
            (key, b"{not json", headers),
            (key, b"", []),
            (None, good.value, headers),
            (b"\xff\x00", b"\x00\xff" * 100, [("ce_id", b"\x00")]),
            (b"nobody:else", good.value, headers),
            (key, b"[" * 50_000, headers),
            (key, b'{"x":"' + b"y" * 900_000 + b'"}', headers),
            (key, good.value, [(k, v.replace(b":1", b":99") if k == "ce_dataschema" else v) for k, v in headers]),
        ]
        write(platform, 3, key, None, headers)  # a tombstone: no event, and no dead letter
        offsets = [write(platform, 3, *each) for each in poison]
        load.progressed(20)
        found = wait_for(lambda: _dead(platform, 3, offsets))
    by_offset = {letter["off"]: letter["id"] for letter in found}
    assert sorted(by_offset) == offsets
    shown = platform.treue("dead-letters", "show", by_offset[offsets[0]])
    assert shown["value"] == "{not json"
    platform.treue("dead-letters", "discard", by_offset[offsets[0]])
    assert offsets[0] not in {letter["off"] for letter in platform.treue("dead-letters", "list")}


def test_what_is_retried_and_still_unreadable_is_a_dead_letter_again_and_blocks_nobody(platform: Platform) -> None:
    good = _a_good_record(platform)
    offset = write(platform, good.part, good.key, b"{still not json", list(good.headers))
    (letter,) = wait_for(lambda: _dead(platform, good.part, [offset]))
    assert platform.treue("status")["open_dead_letters"]["points"] >= 1
    assert platform.treue("dead-letters", "retry", letter["id"])["retried"] == 1
    wait_for(lambda: [each["kind"] for each in _at(platform, good.part, [offset])] == ["dead"])
    with load_on(platform) as load:
        load.progressed(10)
    platform.treue("dead-letters", "discard", letter["id"])
    assert _at(platform, good.part, [offset]) == []


def _a_good_record(platform: Platform) -> Any:
    court, memory = open_court(platform), Memory()
    with closing(court.till()) as till:
        answer = till.send(PURCHASES, purchase("c-poisoned", "good", 1000))
    memory.acknowledge(PURCHASES, answer)
    memory.keep("c-poisoned", 1000, 0)
    court.judge(memory)
    return records(platform, answer.event_id)[0]


def _dead(platform: Platform, part: int, offsets: list[int]) -> list[dict[str, Any]] | None:
    found = [letter for letter in _at(platform, part, offsets) if letter["kind"] == "dead"]
    return found if len(found) == len(offsets) else None


def _at(platform: Platform, part: int, offsets: list[int]) -> list[dict[str, Any]]:
    letters = platform.treue("dead-letters", "list", "--service", "points")
    return [
        each
        for each in letters
        if (each["topic"], each["part"]) == ("treue.purchases", part) and each["off"] in offsets
    ]
