"""A quote, as HTTP carries it. What is asked about comes from the gateway, which has read it as it reads purchases."""

from datetime import datetime
from typing import Any

import msgspec
from pydantic import BaseModel, Field

from services.points.application.quotes import Quote
from shared.errors import MalformedError
from shared.events.purchases import PurchaseCompleted
from shared.money import exponent, to_text

_read = msgspec.json.Decoder(PurchaseCompleted).decode


def purchase_of(body: bytes) -> PurchaseCompleted:
    """The purchase that is asked about, as points would hear of it. Raises MalformedError."""
    try:
        return _read(body)
    except msgspec.MsgspecError as error:
        raise MalformedError(f"The body is no purchase: {error}") from error


class QuoteLine(BaseModel):
    """What was paid for a line, its part of a discount on the whole order taken off, and its share of the points."""

    line_id: str
    paid: str
    points: int


class QuoteView(BaseModel):
    """What a purchase of this moment would earn."""

    points: int
    pending: bool = Field(description="Whether they could not be spent at once.")
    active_from: datetime
    programme_version: int
    arithmetic: str
    not_more_because: list[dict[str, Any]] = Field(description="What kept it from being more.")
    lines: list[QuoteLine]


def quote_view(quote: Quote, now: datetime) -> QuoteView:
    """A quote as it is shown."""
    terms = quote.programme.terms
    reasons: list[dict[str, Any]] = []
    if quote.lost > 0:
        reasons.append({"reason": "rounding", "rule": terms.rounding.value, "exact": f"{quote.exact:f}"})
    if not terms.points_per_unit:
        reasons.append(
            {"reason": "rate", "points_per_unit": "0", "unit": to_text(10 ** exponent(terms.currency), terms.currency)}
        )
    return QuoteView(
        points=quote.points,
        pending=quote.active_from > now,
        active_from=quote.active_from,
        programme_version=quote.programme.version,
        arithmetic=quote.arithmetic,
        not_more_because=reasons,
        lines=[
            QuoteLine(line_id=line.line_id, paid=to_text(line.paid_minor, terms.currency), points=line.points)
            for line in quote.lines
        ],
    )
