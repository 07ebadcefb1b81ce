"""One event of every type, with every field: one customer's spring at a shop for tea.

They stand in the schemas and in AsyncAPI, and the first bytes ever written of them are the fixtures that every later
release must still read (docs/events/fixtures).
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from shared.events.activities import ActivityRecorded
from shared.events.contract import CustomerEvent, Event, OrderEvent
from shared.events.customers import Consent, ConsentStated, CustomerErased, CustomerUpdated
from shared.events.feedback import FeedbackSubmitted
from shared.events.notifications import NotificationBounced, NotificationSent, NotificationSkipped
from shared.events.points import DebtChanged, PointsActivated, PointsClawedBack, PointsEarned, PointsRestored
from shared.events.programmes import ProgrammeUpdated
from shared.events.purchases import (
    PurchaseCancelled,
    PurchaseCompleted,
    PurchaseLine,
    PurchaseReturned,
    ReturnedLine,
)

_E = TypeVar("_E", bound=CustomerEvent | OrderEvent)
_NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
_ENTRY = UUID("019ced30-7a00-7000-8000-0000000000e1")
_CAUSE = UUID("5f0c7a52-5a53-5d3c-8f5e-2d8a6f2f7c11")
_MESSAGE = UUID("019ced30-7a00-7000-8000-0000000000a1")


def _anna(event: type[_E], day: int, **values: Any) -> _E:
    return event(occurred_at=_NOON + timedelta(days=day), customer_id="c-1001", **values)


def _wallet(event: type[_E], day: int, points: int, version: int, **values: Any) -> _E:
    return _anna(
        event, day, entry_id=_ENTRY, cause_id=_CAUSE, points=points, wallet_version=version, order_id="o-77", **values
    )


def _message(event: type[_E], template: str, **values: Any) -> _E:
    return _anna(event, 0, message_id=_MESSAGE, cause_id=_CAUSE, template=template, channel="email", **values)


EXAMPLES: tuple[Event, ...] = (
    ProgrammeUpdated(
        occurred_at=_NOON - timedelta(days=60),
        version=2,
        effective_from=_NOON - timedelta(days=60, hours=13),
        name="Teehaus Nord",
        currency="EUR",
        time_zone="Europe/Berlin",
        locale="de-DE",
        points_per_unit="1.5",
        rounding="floor",
        return_policy="recompute",
        activation_delay_days=14,
    ),
    _anna(
        CustomerUpdated,
        -1,
        email="anna@example.org",
        name="Anna Jäger",
        phone="+4940123456",
        birthday=date(1990, 2, 28),
        locale="de-DE",
        time_zone="Europe/Berlin",
        kind="business",
        consents=(Consent(channel="email", purpose="marketing", granted=True),),
        rejoin=True,
    ),
    _anna(ConsentStated, 5, channel="email", purpose="marketing", granted=False, stated_by="customer"),
    _anna(
        PurchaseCompleted,
        0,
        order_id="o-77",
        currency="EUR",
        total_minor=4980,
        lines=(
            PurchaseLine(
                line_id="1",
                sku="assam-500",
                quantity=2,
                unit_price_minor=2990,
                discount_minor=1000,
                category="tea",
                brand="Nord",
            ),
        ),
        channel="web",
        brand="Nord",
        coupon_codes=("SPRING",),
        referral_code="BERND",
        redemption_id="r-5",
        metadata={"campaign": "spring", "gift": True, "parcel": 3, "note": None},
    ),
    _wallet(PointsEarned, 0, 74, 1, available=0, pending=74, debt=0, active_from=_NOON + timedelta(days=14)),
    _message(NotificationSent, "points_earned"),
    _message(NotificationSkipped, "points_earned", reason="no_address"),
    _message(NotificationBounced, "points_earned", reason="550 5.1.1 unknown user"),
    _anna(
        FeedbackSubmitted,
        3,
        kind="nps",
        score=9,
        comment="Schnell geliefert, danke! \u2615",
        order_id="o-77",
        publish_consent=True,
    ),
    _anna(ActivityRecorded, 4, kind="app_downloaded", properties={"platform": "ios", "version": 17}),
    _wallet(PointsActivated, 14, 74, 2, available=74, pending=0),
    _anna(
        PurchaseReturned,
        20,
        order_id="o-77",
        currency="EUR",
        total_minor=2490,
        lines=(ReturnedLine(line_id="1", quantity=1, amount_minor=2490),),
        reason="too strong",
    ),
    _wallet(PointsClawedBack, 20, 37, 4, available=0, debt=27),
    _wallet(DebtChanged, 20, 27, 5, available=0, debt=27),
    _wallet(PointsRestored, 22, 37, 6, available=10, debt=0),
    _anna(PurchaseCancelled, 21, order_id="o-78", reason="out of stock"),
    _anna(CustomerErased, 90),
)
