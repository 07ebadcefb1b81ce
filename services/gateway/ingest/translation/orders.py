"""Purchases, returns and cancellations."""

from collections.abc import Iterator

from services.gateway.ingest import contracts, rules
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


def purchase(given: contracts.Purchase, at: Reception, plain: bool) -> PurchaseCompleted | None:
    """An order that was paid."""
    currency = at.currency
    occurred_at = accepted(given.occurred_at, at)
    total = rules.minor(given.total, currency)
    if given.currency != currency or occurred_at is None or total is None or not _is_order(given, plain):
        return None
    if not plain and not _has_good_texts(given):
        return None
    lines = _lines(given.lines, currency, total)
    if lines is None:
        return None
    return PurchaseCompleted(
        occurred_at=occurred_at,
        order_id=given.order_id,
        customer_id=given.customer_id or None,
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
    if given.currency != currency or occurred_at is None or not total or not _is_order(given, plain):
        return None
    if not plain and not _is_good_return(given):
        return None
    lines = _returned_lines(given.lines or [], currency, total)
    if lines is None:
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
    if plain:
        good = ":" not in order_id and " " not in order_id
    else:
        good = rules.is_order_id(order_id) and (not given.event_id or rules.is_id(given.event_id))
    return good and (not customer_id or rules.is_customer_id(customer_id))


def _lines(given: list[contracts.PurchaseLine], currency: str, total: int) -> tuple[PurchaseLine, ...] | None:
    """The lines, if each costs 0 or more and all of them together the total."""
    lines: list[PurchaseLine] = []
    minor = rules.minor
    paid = 0
    for line in given:
        price = minor(line.unit_price, currency)
        discount = minor(line.discount, currency) if line.discount else 0
        if price is None or discount is None or discount > line.quantity * price:
            return None
        paid += line.quantity * price - discount
        lines.append(
            PurchaseLine(
                line_id=line.line_id,
                sku=line.sku,
                quantity=line.quantity,
                unit_price_minor=price,
                discount_minor=discount,
                category=line.category or None,
                brand=line.brand or None,
            )
        )
    unique = len(lines) == 1 or len({line.line_id for line in lines}) == len(lines)
    return tuple(lines) if paid == total and unique else None


def _returned_lines(given: list[contracts.ReturnLine], currency: str, total: int) -> tuple[ReturnedLine, ...] | None:
    lines: list[ReturnedLine] = []
    back = 0
    for line in given:
        amount = rules.minor(line.amount, currency)
        if amount is None:
            return None
        back += amount
        lines.append(ReturnedLine(line_id=line.line_id, quantity=line.quantity, amount_minor=amount))
    unique = len({line.line_id for line in lines}) == len(lines)
    return tuple(lines) if unique and (not lines or back == total) else None


def _has_good_texts(given: contracts.Purchase) -> bool:
    return all(map(rules.is_id, _ids(given))) and are_properties(given.metadata)


def _ids(given: contracts.Purchase) -> Iterator[str]:
    yield from (text for text in (given.channel, given.brand, given.referral_code, given.redemption_id) if text)
    yield from given.coupon_codes or ()
    for line in given.lines:
        yield line.line_id
        yield line.sku
        yield from (text for text in (line.category, line.brand) if text)


def _is_good_return(given: contracts.Return) -> bool:
    return rules.is_text(given.reason or "") and all(rules.is_id(line.line_id) for line in given.lines or ())
