"""`treue demo` on the whole platform, twice."""

import asyncio

from deploy.demo.answers import answers_to
from deploy.demo.cdnow import read_sample
from deploy.demo.figures import of_file
from tests.support.platform import Platform

COUNTS = ("customers", "purchases", "feedback", "points")


async def test_a_second_run_changes_no_number(platform: Platform) -> None:
    first = await asyncio.to_thread(platform.treue, "demo")
    second = await asyncio.to_thread(platform.treue, "demo")

    purchases = read_sample()
    file = of_file(purchases, answers_to(purchases))
    assert set(first) == {"tenant", "api_key", *COUNTS}
    assert first == second
    assert {name: first[name] for name in COUNTS} == {name: file[name] for name in COUNTS}


async def test_a_lost_key_is_replaced(platform: Platform) -> None:
    kept = platform.stack.folder.path / "demo.json"
    kept.unlink(missing_ok=True)
    again = await asyncio.to_thread(platform.treue, "demo")

    assert again["purchases"] == 6_919
    assert kept.stat().st_mode & 0o077 == 0
