"""A tenant as the cases from the field see it: bodies go in as shops send them, and what became of them comes out."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from services.gateway.ingest.kinds import CANCELLATIONS, PURCHASES, QUOTES, RETURNS, Kind
from services.gateway.ingest.reading import Reader
from services.gateway.ingest.reception import Reception
from services.gateway.tenants.tenant import Tenant
from services.points.adapters.balances import Balance
from services.points.adapters.decisions import decision_of
from services.points.adapters.programmes import ProgrammeTable
from services.points.application.quotes import Quote, quote
from shared.auth.principal import Principal
from shared.db.transaction import transaction
from shared.errors import InvalidError
from shared.events.purchases import PurchaseCompleted
from shared.messaging.incoming import Outcome
from tests.support import metrics as of_metrics
from tests.support import points as of_points

NOW: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)
AT: Final = "2026-11-26T09:00:00+01:00"
OpenTill = Callable[..., Awaitable["Till"]]


@dataclass(frozen=True)
class Became:
    """What became of an event: what points say, and whether metrics took it too."""

    points: Outcome
    metrics: Outcome

    @property
    def reason(self) -> str | None:
        """Why it was refused, by both; None when both took it."""
        refused = {each.status == "rejected" for each in (self.points, self.metrics)}
        assert len(refused) == 1, f"points and metrics disagree: {self}"
        return self.points.reason if self.points.status == "rejected" else None

    @property
    def effect(self) -> Mapping[str, Any]:
        """The first effect in points."""
        assert self.reason is None
        return self.points.effects[0]

    @property
    def moved(self) -> int:
        """The points that it brought, or took back."""
        return int(self.effect["points"])


class Till:
    """Brings purchases, returns and cancellations of the customer `c1`, unless they name somebody else."""

    def __init__(self, books: of_points.Books, metrics: of_metrics.Metrics, currency: str) -> None:
        self._books, self._metrics, self._currency = books, metrics, currency
        self.shop = of_points.Shop(currency)
        tenant = Tenant(self.shop.tenant, currency, "Europe/Berlin", "de-DE", 1)
        self._at = Reception.at(tenant, Principal(tenant.tenant, frozenset()), NOW, future_max_s=300)
        self._brought = 0

    @classmethod
    async def opened(
        cls, books: of_points.Books, metrics: of_metrics.Metrics, currency: str, terms: dict[str, Any]
    ) -> "Till":
        till = cls(books, metrics, currency)
        rate = Decimal(terms.get("points_per_unit", "1"))
        await books.open(till.shop, **terms | {"points_per_unit": rate})
        await metrics.apply([of_metrics.Shop(currency, tenant=till.shop.tenant).programme()])
        return till

    async def purchase(self, order: str, total: str, lines: Any = None, **more: Any) -> Became:
        return await self.bring(PURCHASES, self.body(order, total, lines=lines, **more))

    async def returned(self, order: str, total: str, lines: Any = None, **more: Any) -> Became:
        return await self.bring(RETURNS, self.body(order, total, lines=lines, **more))

    async def cancelled(self, order: str, **more: Any) -> Became:
        body = {"order_id": order, "customer_id": "c1", "occurred_at": AT} | more
        return await self.bring(CANCELLATIONS, body)

    async def quote(self, total: str, lines: Any = None, **more: Any) -> Quote:
        """What the purchase would earn. Raises InvalidError."""
        event = self.read(QUOTES, {"total": total, "currency": self._currency, "lines": lines} | more)
        assert isinstance(event, PurchaseCompleted)
        async with transaction(self._books.engine) as tx:
            versions = (await ProgrammeTable().versions(tx, [self.shop.tenant]))[self.shop.tenant]
        return quote(versions, event, NOW)

    def body(self, order: str, total: str, **more: Any) -> dict[str, Any]:
        """`lines` may be left out."""
        whole = {
            "order_id": order,
            "customer_id": "c1",
            "occurred_at": AT,
            "currency": self._currency,
            "total": total,
        } | more
        return {name: value for name, value in whole.items() if value is not None}

    def read(self, kind: Kind, body: Mapping[str, Any]) -> Any:
        """The event that the gateway makes of it. Raises InvalidError."""
        return Reader(kind).one(json.dumps(body).encode(), self._at)[1]

    def refusal(self, kind: Kind, body: Mapping[str, Any]) -> set[tuple[str, str]]:
        """Place and rule of each fault that the gateway names."""
        try:
            self.read(kind, body)
        except InvalidError as refused:
            return {(fault.pointer, fault.rule) for fault in refused.faults}
        raise AssertionError(f"{body} was taken")

    async def bring(self, kind: Kind, body: Mapping[str, Any], name: str = "") -> Became:
        """One event, to both services. Raises InvalidError for what the gateway refuses."""
        self._brought += 1
        event = self.shop.incoming(self.read(kind, body), name or f"{self._brought}", NOW)
        points = (await self._books.post(event)).of(event.id)
        (metrics,) = await self._metrics.outcomes(event)
        return Became(points, metrics)

    async def later(self, name: str) -> Outcome:
        """What became of a return that had waited, in points."""
        async with transaction(self._books.engine) as tx:
            found = await decision_of(tx, self.shop.tenant, self.shop.id(name))
        assert found is not None
        return Outcome(found.outcome, found.reason, tuple(found.effects))  # type: ignore[arg-type]

    async def wallet(self, customer: str = "c1") -> Balance:
        return await self._books.balance(self.shop, customer)

    async def balance(self, customer: str = "c1") -> int:
        """What can be spent, less what is owed."""
        found = await self.wallet(customer)
        return found.posted - found.debt

    async def activate_due(self) -> None:
        await self._books.activate_due()

    async def entries(self, customer: str = "c1") -> list[tuple[str, int]]:
        """Kind and points of each ledger entry."""
        return [(each["kind"], each["points"]) for each in await self._books.entries(self.shop, customer)]

    async def entry_details(self) -> list[Mapping[str, Any]]:
        return [each["detail"] for each in await self._books.entries(self.shop, "c1")]

    async def revenue(self) -> tuple[int, int, int]:
        """Orders, money taken and money given back in metrics, in minor units."""
        rows = await self._metrics.fetch(
            "SELECT coalesce(sum(orders), 0)::int, coalesce(sum(gross_minor), 0)::int,"
            " coalesce(sum(refunded_minor), 0)::int FROM day_total WHERE tenant = $1",
            self.shop.tenant,
        )
        orders, gross, refunded = rows[0]
        return orders, gross, refunded

    async def assert_no_drift(self) -> None:
        found = await self._books.drift(self.shop)
        assert not found, found
        counted = await self._metrics.drift(self.shop.tenant)
        assert not counted, counted
