"""The table feedback."""

from collections.abc import Sequence

from services.metrics.domain.feedback import Answer
from shared.db.transaction import Transaction

_ANSWER = ("tenant", "event_id", "customer", "kind", "score", "occurred_at", "business_date", "order_id")


class AnswerTable:
    """Answers in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._db = tx.raw

    async def append(self, answers: Sequence[Answer]) -> None:
        """Keep them."""
        rows = [(a.tenant, a.event_id, a.customer, a.kind, a.score, a.occurred_at, a.day, a.order_id) for a in answers]
        if rows:
            await self._db.copy_records_to_table("feedback", records=rows, columns=_ANSWER)
