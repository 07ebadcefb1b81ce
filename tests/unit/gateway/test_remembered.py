"""How long an answer of the database stands."""

import asyncio

import pytest

from services.gateway import remembered
from services.gateway.remembered import Ages, Remembered
from shared.errors import UnauthenticatedError, UnavailableError


class Source:
    """A database that a test takes away."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: str | Exception = "one"

    async def load(self, key: str) -> str:
        self.asked += 1
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return f"{key} {self.answer}"


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(remembered, "monotonic", time)
    return time


def memory(source: Source, size_max: int = 100) -> Remembered[str, str]:
    return Remembered(source.load, Ages(fresh_s=5, soft_s=8, stale_s=900, refused_s=2, retry_s=1), size_max)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_fresh_answers_are_given_without_asking(time: Time) -> None:
    source = Source()
    known = memory(source)
    assert known.at_once("k") is None
    assert await known.get("k") == "k one"
    time.now += 4.9
    assert known.at_once("k") == "k one"
    assert source.asked == 1


async def test_a_change_shows_behind_the_answer_and_at_last_before_it(time: Time) -> None:
    source = Source()
    known = memory(source)
    await known.get("k")
    source.answer = "two"
    time.now += 6
    assert await known.get("k") == "k one"
    await settle()
    assert await known.get("k") == "k two"
    source.answer = "three"
    time.now += 8
    assert await known.get("k") == "k three"


async def test_a_refusal_replaces_a_good_answer(time: Time) -> None:
    source = Source()
    known = memory(source)
    await known.get("k")
    source.answer = UnauthenticatedError("no")
    time.now += 6
    await known.get("k")
    await settle()
    with pytest.raises(UnauthenticatedError):
        await known.get("k")
    asked = source.asked
    with pytest.raises(UnauthenticatedError):
        await known.get("k")
    assert source.asked == asked
    source.answer = "again"
    time.now += 2
    assert await known.get("k") == "k again"


async def test_while_the_source_is_away_old_answers_stand_and_new_questions_fail(time: Time) -> None:
    source = Source()
    known = memory(source)
    await known.get("k")
    source.answer = UnavailableError("away")
    time.now += 100
    assert await known.get("k") == "k one"
    asked = source.asked
    assert await known.get("k") == "k one"
    assert source.asked == asked, "asked again within a second"
    with pytest.raises(UnavailableError):
        await known.get("other")
    time.now += 801
    with pytest.raises(UnavailableError):
        await known.get("k")
    source.answer = "back"
    assert await known.get("k") == "k back"


async def test_many_who_ask_at_once_ask_once(time: Time) -> None:
    source = Source()
    known = memory(source)
    assert await asyncio.gather(*(known.get("k") for _ in range(50))) == ["k one"] * 50
    assert source.asked == 1


async def test_the_memory_is_bounded(time: Time) -> None:
    source = Source()
    known = memory(source, size_max=10)
    for number in range(50):
        await known.get(str(number))
    assert len(known._entries) == 10


async def test_forgetting(time: Time) -> None:
    source = Source()
    known = memory(source)
    await known.get("k")
    known.forget(lambda key, value: value == "k one")
    assert known.at_once("k") is None


async def test_refusals_make_it_forget_nothing_good_and_are_bounded_too(time: Time) -> None:
    source = Source()
    known = memory(source, size_max=10)
    await known.get("good")
    source.answer = UnauthenticatedError("no")
    for number in range(50):
        with pytest.raises(UnauthenticatedError):
            await known.get(str(number))
    assert known.at_once("good") == "good one"
    assert len(known._refusals) == 10
