"""How long the broker holds a fetch that finds nothing: while a lane works, what comes for the others must not wait for
it; a service at rest should not ask all the time."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.protocol.fetch import FetchRequest

from shared.db.transaction import Transaction
from shared.messaging.incoming import Effects, Incoming
from tests.integration.shared.conftest import Spine
from tests.support.counting import Counting, bought
from tests.support.eventually import until

_AT_REST_MS, _AT_WORK_MS = 500, 50


class _Slow(Counting):
    """Works on its batch until it is told to finish."""

    def __init__(self, topics: Sequence[str]) -> None:
        super().__init__(topics)
        self.begun, self.finish = asyncio.Event(), asyncio.Event()

    async def apply(self, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        self.begun.set()
        await self.finish.wait()
        return await super().apply(tx, events)


async def test_the_broker_holds_fetches_only_while_nothing_is_at_work(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def request(max_wait_ms: int, *more: Any, **named: Any) -> FetchRequest:
        asked.append(max_wait_ms)
        return FetchRequest(max_wait_ms, *more, **named)

    monkeypatch.setattr("aiokafka.consumer.fetcher.FetchRequest", request)
    slow = _Slow([spine.topic])
    async with spine.running(spine.consumer(slow)):
        await until(lambda: asked)
        assert set(asked) == {_AT_REST_MS}
        await spine.producer.send([bought(1, spine.topic)], deadline_s=10)
        await slow.begun.wait()
        # In a row, for what was asked before the lane began is long, and so it is again while the group rebalances.
        await until(lambda: asked[-5:] == [_AT_WORK_MS] * 5)
        slow.finish.set()
        await spine.reaches(1)
        await until(lambda: asked[-1] == _AT_REST_MS)
