"""Which partitions the group gave us. The callbacks do no I/O: they only turn the generation and wake the loop.

aiokafka swallows what a callback raises and sends no heartbeat while one runs; a slow callback is a rebalance storm.
"""

import asyncio
from collections.abc import Iterable

from aiokafka import ConsumerRebalanceListener, TopicPartition

from shared.observability.metrics import REBALANCES


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """The current assignment and its generation: whoever holds an older generation has nothing."""

    def __init__(self, service: str) -> None:
        self.generation = 0
        self.assigned: frozenset[TopicPartition] = frozenset()
        self.changed = asyncio.Event()
        self._service = service

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002
        """All partitions are taken away first (eager rebalancing)."""
        self._turn(frozenset())

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """These are ours now, unclaimed as yet."""
        self._turn(frozenset(assigned))
        REBALANCES.labels(self._service).inc()

    def _turn(self, assigned: frozenset[TopicPartition]) -> None:
        self.generation += 1
        self.assigned = assigned
        self.changed.set()
