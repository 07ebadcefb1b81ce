"""What must hold between the fields of a body, looked at even while single fields are wrong, so that all faults are
named at once. Takes the body as it was read; whatever is no usable value is the fields' own fault and passed over."""

from collections.abc import Callable, Iterator
from typing import Any

from services.gateway.ingest import rules
from services.gateway.ingest.line_amounts import amount_of, most_of
from services.gateway.ingest.reception import Reception
from shared.errors import Fault
from shared.events.feedback import SCALES
from shared.money import to_text

Body = dict[str, Any]
Relations = Callable[[Body, Reception], Iterator[Fault]]


def purchase(body: Body, at: Reception) -> Iterator[Fault]:
    """Lines have ids of their own, their discounts and taxes are part of them, and the total is no more than they."""
    yield from _unique_lines(body)
    amounts = [_amount(line, at) for line in _lines(body)]
    for index, line in enumerate(_lines(body)):
        yield from _parts_of_line(line, f"/lines/{index}", at)
    total, known = _minor(body.get("total"), at), [amount for amount in amounts if amount is not None]
    if total is not None and known and len(known) == len(amounts) and total > most_of(known):
        come_to = to_text(sum(known), at.currency)
        yield Fault(
            "/total", "more_than_lines",
            f"Must not be more than the lines come to, {come_to}: shipping and fees stay out of the total,"
            " and prices of lines include tax.", body["total"],
        )  # fmt: skip


def quote(body: Body, at: Reception) -> Iterator[Fault]:
    """The same. Raises NotFoundError when a customer asks for another."""
    yield from purchase(body, at)
    if body.get("customer_id") is None or isinstance(body["customer_id"], str):
        at.own(body.get("customer_id"))


def returned(body: Body, at: Reception) -> Iterator[Fault]:
    """Lines have ids of their own, and something came back: money, which need not be that of the lines, or goods."""
    yield from _unique_lines(body)
    if not _lines(body) and _minor(body.get("total"), at) == 0:
        yield Fault("/total", "nothing_returned", "Without lines it must be more than 0.", body["total"])


def nothing(_body: Body, _at: Reception) -> Iterator[Fault]:
    """No field depends on another."""
    yield from ()


def feedback(body: Body, at: Reception) -> Iterator[Fault]:
    """Somebody said it, on the scale of its kind."""
    yield from somebody(body, at)
    kind, score = body.get("kind"), body.get("score")
    if isinstance(kind, str) and kind in SCALES and isinstance(score, int) and not isinstance(score, bool):
        low, high = SCALES[kind]
        if not low <= score <= high:
            yield Fault("/score", "scale", f"Must be {low} to {high} for {kind}.", score)


def somebody(body: Body, at: Reception) -> Iterator[Fault]:
    """A key says whose event it is. Raises NotFoundError when a customer speaks for another."""
    customer = body.get("customer_id")
    if at.principal.customer is None:
        if customer is None:
            yield Fault("/customer_id", "required", "This must be there.")
    elif customer is None or isinstance(customer, str):
        at.own(customer)


def profile(body: Body, _at: Reception) -> Iterator[Fault]:
    """One consent for each channel and purpose."""
    consents = body.get("consents")
    seen: set[tuple[Any, Any]] = set()
    for index, consent in enumerate(consents if isinstance(consents, list) else ()):
        if isinstance(consent, dict):
            said = (str(consent.get("channel")), str(consent.get("purpose")))
            if said in seen:
                yield Fault(f"/consents/{index}", "unique", "This channel and purpose stand here twice.")
            seen.add(said)


def _lines(body: Body) -> list[Body]:
    lines = body.get("lines")
    return [line if isinstance(line, dict) else {} for line in lines] if isinstance(lines, list) else []


def _unique_lines(body: Body) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, line in enumerate(_lines(body)):
        line_id = line.get("line_id")
        if isinstance(line_id, str):
            if line_id in seen:
                yield Fault(f"/lines/{index}/line_id", "unique", "Another line has this id.", line_id)
            seen.add(line_id)


def _parts_of_line(line: Body, place: str, at: Reception) -> Iterator[Fault]:
    """A discount and a tax are parts of the line's own price."""
    gross = _gross(line, at)
    if gross is None:
        return
    discount, tax = _minor(line.get("discount"), at) or 0, _signed_minor(line.get("tax"), at) or 0
    if gross < 0 < discount:
        yield Fault(f"{place}/discount", "discount", "A line of a negative price has no discount.", line["discount"])
    elif discount > max(gross, 0):
        yield Fault(f"{place}/discount", "discount", "Must not be more than quantity x unit_price.", line["discount"])
    if not min(gross, 0) <= tax <= max(gross, 0):
        yield Fault(f"{place}/tax", "tax", "Must be a part of quantity x unit_price: prices include tax.", line["tax"])


def _gross(line: Body, at: Reception) -> int | None:
    quantity, price = line.get("quantity"), _signed_minor(line.get("unit_price"), at)
    milli = rules.milli(quantity) if isinstance(quantity, int | str) and not isinstance(quantity, bool) else None
    return None if milli is None or price is None else amount_of(milli, price, 0)


def _amount(line: Body, at: Reception) -> int | None:
    gross, discount = _gross(line, at), 0 if line.get("discount") is None else _minor(line["discount"], at)
    return None if gross is None or discount is None else gross - discount


def _minor(amount: Any, at: Reception) -> int | None:
    return rules.minor(amount, at.currency) if isinstance(amount, str) else None


def _signed_minor(amount: Any, at: Reception) -> int | None:
    return rules.signed_minor(amount, at.currency) if isinstance(amount, str) else None
