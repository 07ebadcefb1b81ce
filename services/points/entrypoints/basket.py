"""A basket to be rated, and the answer, as HTTP carries them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.points.application.quotes import Basket, Quote
from shared.errors import Fault, InvalidError
from shared.http.fields import Currency
from shared.money import exponent, to_minor, to_text

_LINES_MAX = 500


Amount = Annotated[str, Field(pattern=r"^\d{1,13}(\.\d{1,4})?$", description="A decimal string, not negative.")]


class BasketLine(BaseModel):
    """One line of a basket."""

    model_config = ConfigDict(extra="ignore")

    line_id: str = Field(min_length=1, max_length=200)
    quantity: int = Field(ge=1, le=1_000_000)
    unit_price: Amount
    discount: Amount = "0"


class BasketBody(BaseModel):
    """`total` is what would be paid for goods, as in a purchase."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"total": "49.90", "currency": "EUR"}]})

    total: Amount
    currency: Currency
    lines: list[BasketLine] = Field(default_factory=list, max_length=_LINES_MAX)

    @model_validator(mode="after")
    def _lines_are_told_apart(self) -> "BasketBody":
        if len({line.line_id for line in self.lines}) != len(self.lines):
            raise ValueError("each line needs a line_id of its own")
        return self

    def basket(self) -> Basket:
        """The same in minor units. Raises InvalidError for an amount that the currency does not have."""
        faults: list[Fault] = []

        def minor(pointer: str, amount: str) -> int:
            try:
                return to_minor(amount, self.currency)
            except ValueError as error:
                faults.append(Fault(pointer, "amount", str(error), amount))
                return 0

        total = minor("/total", self.total)
        lines = [
            (
                line.line_id,
                max(
                    line.quantity * minor(f"/lines/{index}/unit_price", line.unit_price)
                    - minor(f"/lines/{index}/discount", line.discount),
                    0,
                ),
            )
            for index, line in enumerate(self.lines)
        ]
        if faults:
            raise InvalidError("The body is not acceptable.", faults=faults)
        return Basket(total, self.currency, lines)


class QuoteLine(BaseModel):
    """A line's share of the points."""

    line_id: str
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
        lines=[QuoteLine(line_id=line_id, points=points) for line_id, points in quote.lines],
    )
