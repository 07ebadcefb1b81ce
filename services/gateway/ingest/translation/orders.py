"""Purchases, returns and cancellations."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from services.gateway.ingest import contracts, rules
from services.gateway.ingest.line_amounts import amount_of, most_of, paid_of
from services.gateway.ingest.reception import Reception
from services.gateway.ingest.translation.properties import are_properties, properties_of
from services.gateway.ingest.translation.times import accepted
from shared.events.purchases import (
    PurchaseCancelled,
    PurchaseCompleted,
    PurchaseLine,
    PurchaseReturned,
    ReturnedLine,
)

# What an order is called that has no id yet.
_NO_ORDER_YET = "quote"


def purchase(given: contracts.Purchase, at: Reception, plain: bool) -> PurchaseCompleted | None:
    """An order that was paid."""
    occurred_at = accepted(given.occurred_at, at)
    if occurred_at is None or not _is_order(given, plain):
        return None
    return _bought(given, given.order_id, given.customer_id or None, occurred_at, at, plain)


def quote(given: contracts.Quote, at: Reception, plain: bool) -> PurchaseCompleted | None:
    """The purchase that it would be. A customer's token speaks for that customer."""
    occurred_at = accepted(given.occurred_at, at) if given.occurred_at else at.now
    ids = [each for each in (given.order_id, given.event_id) if each]
    if occurred_at is None or not (plain or all(map(rules.is_id, ids))):
        return None
    customer_id = at.own(given.customer_id or None)
    if customer_id is not None and not rules.is_customer_id(customer_id):
        return None
    return _bought(given, given.order_id or _NO_ORDER_YET, customer_id, occurred_at, at, plain)


def _bought(
    given: contracts.Cart, order_id: str, customer_id: str | None, occurred_at: datetime, at: Reception, plain: bool
) -> PurchaseCompleted | None:
    currency = at.currency
    total = rules.minor(given.total, currency)
    if given.currency != currency or total is None or not (plain or _has_good_texts(given)):
        return None
    lines = _lines(given.lines, currency, total) if given.lines else ()
    if lines is None:
        return None
    return PurchaseCompleted(
        occurred_at=occurred_at,
        order_id=order_id,
        customer_id=customer_id,
        currency=currency,
        total_minor=total,
        lines=lines,
        channel=given.channel or None,
        brand=given.brand or None,
        coupon_codes=tuple(given.coupon_codes) if given.coupon_codes else (),
        referral_code=given.referral_code or None,
        redemption_id=given.redemption_id or None,
        metadata=properties_of(given.metadata),
    )


def returned(given: contracts.Return, at: Reception, plain: bool) -> PurchaseReturned | None:
    """Goods that came back."""
    currency = at.currency
    occurred_at = accepted(given.occurred_at, at)
    total = rules.minor(given.total, currency)
    if given.currency != currency or occurred_at is None or total is None or not _is_order(given, plain):
        return None
    if not plain and not _is_good_return(given):
        return None
    lines = _returned_lines(given.lines or [], currency)
    if lines is None or not (total or lines):
        return None
    return PurchaseReturned(
        occurred_at=occurred_at,
        order_id=given.order_id,
        customer_id=given.customer_id or None,
        currency=currency,
        total_minor=total,
        lines=lines,
        reason=given.reason or None,
    )


def cancellation(given: contracts.Cancellation, at: Reception, plain: bool) -> PurchaseCancelled | None:
    """A whole order that was undone."""
    occurred_at = accepted(given.occurred_at, at)
    if occurred_at is None or not _is_order(given, plain) or not (plain or rules.is_text(given.reason or "")):
        return None
    return PurchaseCancelled(
        occurred_at=occurred_at,
        order_id=given.order_id,
        customer_id=given.customer_id or None,
        reason=given.reason or None,
    )


def _is_order(given: contracts.Purchase | contracts.Return | contracts.Cancellation, plain: bool) -> bool:
    """Whether the ids of an order's event can stand in keys."""
    order_id, customer_id = given.order_id, given.customer_id
    good = plain or (rules.is_id(order_id) and (not given.event_id or rules.is_id(given.event_id)))
    return good and (not customer_id or rules.is_customer_id(customer_id))


def _lines(given: Sequence[contracts.PurchaseLine], currency: str, total: int) -> tuple[PurchaseLine, ...] | None:
    """The lines, if the total can have been paid for them. Most orders are whole units at prices that sum up to it:
    these are read in a third of the time."""
    lines: list[PurchaseLine] = []
    minor = rules.minor
    paid = 0
    for line in given:
        price, quantity = minor(line.unit_price, currency), line.quantity
        discount = minor(line.discount, currency) if line.discount else 0
        if price is None or discount is None or not isinstance(quantity, int) or line.tax:
            return _unusual_lines(given, currency, total)
        if discount > quantity * price:
            return None
        paid += quantity * price - discount
        lines.append(
            PurchaseLine(
                line_id=line.line_id,
                sku=line.sku,
                quantity=quantity,
                unit_price_minor=price,
                discount_minor=discount,
                category=line.category or None,
                brand=line.brand or None,
            )
        )
    if paid != total:
        return _unusual_lines(given, currency, total)
    unique = len(lines) == 1 or len({line.line_id for line in lines}) == len(lines)
    return tuple(lines) if unique else None


def _unusual_lines(
    given: Sequence[contracts.PurchaseLine], currency: str, total: int
) -> tuple[PurchaseLine, ...] | None:
    """The same for parts of units, negative prices, taxes, and a discount on the whole order."""
    lines: list[PurchaseLine] = []
    for one in given:
        line = _line(one, currency)
        if line is None:
            return None
        lines.append(line)
    amounts = [_amount(line) for line in lines]
    if total > most_of(amounts) or len({line.line_id for line in lines}) < len(lines):
        return None
    return tuple(map(_with_paid, lines, paid_of(amounts, [line.sku for line in lines], total)))


def _line(given: contracts.PurchaseLine, currency: str) -> PurchaseLine | None:
    price = rules.signed_minor(given.unit_price, currency)
    discount = rules.minor(given.discount, currency) if given.discount else 0
    tax = rules.signed_minor(given.tax, currency) if given.tax else None
    milli = rules.milli(given.quantity)
    if price is None or discount is None or milli is None or (given.tax and tax is None):
        return None
    gross = amount_of(milli, price, 0)
    if discount > max(gross, 0) or (tax is not None and not min(gross, 0) <= tax <= max(gross, 0)):
        return None
    return PurchaseLine(
        line_id=given.line_id,
        sku=given.sku,
        quantity=milli // 1000,
        unit_price_minor=price,
        discount_minor=discount,
        category=given.category or None,
        brand=given.brand or None,
        thousandths=milli % 1000,
        tax_minor=tax,
    )


def _amount(line: PurchaseLine) -> int:
    """What the line comes to by itself."""
    return amount_of(line.quantity * 1000 + line.thousandths, line.unit_price_minor, line.discount_minor)


def _with_paid(line: PurchaseLine, paid: int) -> PurchaseLine:
    """Say what was paid for it, where that does not follow from its price."""
    plainly = not line.thousandths and line.unit_price_minor >= 0
    return line if plainly and line.paid == paid else replace(line, paid_minor=paid)


def _returned_lines(given: Sequence[contracts.ReturnLine], currency: str) -> tuple[ReturnedLine, ...] | None:
    lines: list[ReturnedLine] = []
    for line in given:
        amount, milli = rules.minor(line.amount, currency), rules.milli(line.quantity)
        if amount is None or milli is None:
            return None
        lines.append(
            ReturnedLine(line_id=line.line_id, quantity=milli // 1000, amount_minor=amount, thousandths=milli % 1000)
        )
    return tuple(lines) if len({line.line_id for line in lines}) == len(lines) else None


def _has_good_texts(given: contracts.Cart) -> bool:
    return all(map(rules.is_id, _ids(given))) and are_properties(given.metadata)


def _ids(given: contracts.Cart) -> Iterator[str]:
    yield from (text for text in (given.channel, given.brand, given.referral_code, given.redemption_id) if text)
    yield from given.coupon_codes or ()
    for line in given.lines or ():
        yield line.line_id
        yield line.sku
        yield from (text for text in (line.category, line.brand) if text)


def _is_good_return(given: contracts.Return) -> bool:
    return rules.is_text(given.reason or "") and all(rules.is_id(line.line_id) for line in given.lines or ())
