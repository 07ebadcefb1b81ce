"""The figures, straight from the days."""

from dataclasses import dataclass
from datetime import datetime

from services.metrics.domain.feedback import PASSIVE_FROM, PROMOTER_FROM
from services.metrics.domain.figures import OrderValue, PromoterScore, PurchaseFrequency, RepeatPurchase
from services.metrics.domain.period import Period
from services.metrics.domain.programme import Programme
from shared.db.transaction import Transaction

_PROGRAMME = "SELECT tenant, version, currency, time_zone FROM programme WHERE tenant = $1"
# What came before the earlier of two instants is in: the last time that a partition had nothing left to do, or its
# last record; the slowest partition decides, and so does an event of the tenant that was put aside.
_COMPLETE_THROUGH = """
    SELECT CASE WHEN bool_and(through IS NOT NULL) THEN least(min(through), (
        SELECT min(record_time) FROM parked_event WHERE tenant = $1 AND topic = $2)) END
    FROM (SELECT greatest(caught_up_at, last_record_at) AS through FROM consumer_offset WHERE topic = $2) AS partition
"""
_REPEAT_PURCHASE = """
    SELECT count(*), count(*) FILTER (WHERE orders > 1) FROM (
        SELECT sum(orders) AS orders FROM customer_day
        WHERE tenant = $1 AND business_date >= $2 AND business_date < $3 AND orders > 0 GROUP BY customer
    ) AS buyer
"""
_PURCHASE_FREQUENCY = """
    SELECT coalesce(sum(orders), 0)::bigint, count(*) FROM (
        SELECT sum(orders) AS orders FROM customer_day
        WHERE tenant = $1 AND business_date >= $2 AND business_date < $3 AND orders > 0 GROUP BY customer
    ) AS buyer
"""
_ORDER_VALUE = """
    SELECT coalesce(sum(orders), 0)::bigint, coalesce(sum(orders) FILTER (WHERE guest), 0)::bigint,
        coalesce(sum(gross_minor), 0)::bigint, coalesce(sum(refunded_minor), 0)::bigint
    FROM day_total WHERE tenant = $1 AND business_date >= $2 AND business_date < $3
"""
_PROMOTER_SCORE = """
    SELECT count(*), count(*) FILTER (WHERE score >= $4), count(*) FILTER (WHERE score < $5) FROM (
        SELECT DISTINCT ON (customer) score FROM feedback
        WHERE tenant = $1 AND kind = 'nps' AND business_date >= $2 AND business_date < $3
        ORDER BY customer, occurred_at DESC, event_id DESC
    ) AS last_answer
"""


@dataclass(frozen=True, slots=True)
class Basis:
    """What figures of a tenant rest on. `complete_through`: every event that was recorded before is in; None when
    nobody can tell."""

    programme: Programme
    complete_through: datetime | None


async def programme_of(tx: Transaction, tenant: str) -> Programme | None:
    """The tenant's programme as it came here, if it did."""
    row = await tx.raw.fetchrow(_PROGRAMME, tenant)
    return Programme(*row) if row else None


async def complete_through(tx: Transaction, tenant: str, topic: str) -> datetime | None:
    """Up to when all events of this topic are in the figures."""
    found: datetime | None = await tx.raw.fetchval(_COMPLETE_THROUGH, tenant, topic)
    return found


async def repeat_purchase(tx: Transaction, tenant: str, period: Period) -> RepeatPurchase:
    """Buyers of the period."""
    return RepeatPurchase(*await tx.raw.fetchrow(_REPEAT_PURCHASE, tenant, period.start, period.end))


async def purchase_frequency(tx: Transaction, tenant: str, period: Period) -> PurchaseFrequency:
    """Their orders."""
    return PurchaseFrequency(*await tx.raw.fetchrow(_PURCHASE_FREQUENCY, tenant, period.start, period.end))


async def order_value(tx: Transaction, tenant: str, period: Period) -> OrderValue:
    """Orders and money of the period."""
    return OrderValue(*await tx.raw.fetchrow(_ORDER_VALUE, tenant, period.start, period.end))


async def promoter_score(tx: Transaction, tenant: str, period: Period) -> PromoterScore:
    """The last answers of the period's respondents."""
    row = await tx.raw.fetchrow(_PROMOTER_SCORE, tenant, period.start, period.end, PROMOTER_FROM, PASSIVE_FROM)
    return PromoterScore(*row)
