"""The questions: four figures over any period of local days."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.adapters import queries
from services.metrics.domain import definitions
from services.metrics.entrypoints.period import AskedPeriod
from services.metrics.entrypoints.schemas import (
    AverageOrderValueAnswer,
    NpsAnswer,
    PurchaseFrequencyAnswer,
    RepeatPurchaseAnswer,
    average_text,
    heading,
)
from shared.auth.scopes import METRICS_READ
from shared.db.transaction import Transaction, transaction
from shared.errors import UnavailableError
from shared.events.contract import Topic
from shared.http.caller import Caller
from shared.money import to_text


def metrics_router(engine: AsyncEngine) -> APIRouter:
    """All of `/v1/metrics`."""
    router = APIRouter(prefix="/v1/metrics", tags=["metrics"], dependencies=[Depends(_require_scope)])
    _add_figures_of_customers(router, engine)
    _add_figures_of_orders(router, engine)
    _add_figures_of_answers(router, engine)
    return router


def _add_figures_of_customers(router: APIRouter, engine: AsyncEngine) -> None:
    @router.get("/repeat-purchase", summary="Repeat purchase rate")
    async def repeat_purchase(period: AskedPeriod, caller: Caller) -> RepeatPurchaseAnswer:
        """How many of the customers who bought in the period did so at least twice."""
        async with _question(engine, caller.tenant, Topic.PURCHASES) as (tx, basis):
            found = await queries.repeat_purchase(tx, caller.tenant, period)
        return RepeatPurchaseAnswer(
            **heading(period, basis, definitions.REPEAT_PURCHASE),
            customers=found.customers,
            repeat_customers=found.repeat_customers,
            rate=found.rate,
        )

    @router.get("/purchase-frequency", summary="Purchase frequency")
    async def purchase_frequency(period: AskedPeriod, caller: Caller) -> PurchaseFrequencyAnswer:
        """How many orders the customers who bought in the period placed on average."""
        async with _question(engine, caller.tenant, Topic.PURCHASES) as (tx, basis):
            found = await queries.purchase_frequency(tx, caller.tenant, period)
        return PurchaseFrequencyAnswer(
            **heading(period, basis, definitions.PURCHASE_FREQUENCY),
            orders=found.orders,
            customers=found.customers,
            frequency=found.frequency,
        )


def _add_figures_of_orders(router: APIRouter, engine: AsyncEngine) -> None:
    @router.get("/average-order-value", summary="Average order value")
    async def average_order_value(period: AskedPeriod, caller: Caller) -> AverageOrderValueAnswer:
        """What an order of the period was worth on average, before and after refunds."""
        async with _question(engine, caller.tenant, Topic.PURCHASES) as (tx, basis):
            found = await queries.order_value(tx, caller.tenant, period)
        currency = basis.programme.currency
        return AverageOrderValueAnswer(
            **heading(period, basis, definitions.AVERAGE_ORDER_VALUE),
            orders=found.orders,
            guest_orders=found.guest_orders,
            revenue=to_text(found.revenue_minor, currency),
            refunds=to_text(found.refunds_minor, currency),
            average_order_value=average_text(found.average_minor, currency),
            average_order_value_net=average_text(found.average_net_minor, currency),
        )


def _add_figures_of_answers(router: APIRouter, engine: AsyncEngine) -> None:
    @router.get("/nps", summary="Net Promoter Score")
    async def nps(period: AskedPeriod, caller: Caller) -> NpsAnswer:
        """Whether customers would recommend the shop: promoters less detractors, of all who answered."""
        async with _question(engine, caller.tenant, Topic.FEEDBACK) as (tx, basis):
            found = await queries.promoter_score(tx, caller.tenant, period)
        return NpsAnswer(
            **heading(period, basis, definitions.NPS),
            responses=found.responses,
            promoters=found.promoters,
            passives=found.passives,
            detractors=found.detractors,
            nps=found.nps,
        )


async def _require_scope(caller: Caller) -> None:
    """A key's scope; no customer has it."""
    caller.require(METRICS_READ)


@asynccontextmanager
async def _question(engine: AsyncEngine, tenant: str, topic: Topic) -> AsyncIterator[tuple[Transaction, queries.Basis]]:
    """What the figure rests on is read first: it may understate how complete the figure is, never overstate it."""
    async with transaction(engine) as tx:
        programme = await queries.programme_of(tx, tenant)
        if programme is None:
            raise UnavailableError("The programme has not arrived here yet.", code="programme_unknown", retry_after_s=1)
        through = await queries.complete_through(tx, tenant, topic.value)
        yield tx, queries.Basis(programme, through)
