"""How far a consumer is goes on being shown, whatever its client lets escape."""

import asyncio
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaConnectionError

from shared.messaging import progress
from shared.messaging.progress import Pulse, show_progress
from tests.support.eventually import until

HERE = TopicPartition("t", 0)


class FakeConsumer:
    """Answers to commits in turn: by nothing, or by an error."""

    def __init__(self, *answers: BaseException | None) -> None:
        self._answers = list(answers)
        self.commits = 0

    async def commit(self, _positions: object) -> None:
        self.commits += 1
        answer = self._answers.pop(0) if self._answers else None
        if answer is not None:
            raise answer


async def _shown(consumer: FakeConsumer, pulse: Pulse, commits: int) -> None:
    lanes: Any = {HERE: SimpleNamespace(position=7)}
    untyped: Any = consumer
    showing = asyncio.create_task(show_progress(untyped, untyped, lanes, (), pulse, lanes.pop))
    await until(lambda: consumer.commits >= commits or showing.done(), within_s=10)
    assert not showing.done(), "it ended in silence"
    showing.cancel()
    await asyncio.gather(showing, return_exceptions=True)
    assert showing.cancelled()


async def test_a_cancellation_that_escapes_from_the_client_does_not_end_it() -> None:
    consumer = FakeConsumer(asyncio.CancelledError())
    await _shown(consumer, Pulse(), commits=2)


async def test_who_gets_no_answer_says_so_and_a_refusal_is_an_answer(monkeypatch: Any) -> None:
    monkeypatch.setattr(progress, "_SILENT_S", 0.5)
    pulse = Pulse()
    await _shown(FakeConsumer(KafkaConnectionError(), asyncio.CancelledError()), pulse, commits=2)
    assert "Kafka has not answered" in str(pulse.problem)
    await _shown(FakeConsumer(CommitFailedError()), pulse, commits=2)
    assert pulse.problem is None
