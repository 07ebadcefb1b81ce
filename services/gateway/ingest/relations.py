"""What must hold between the fields of a body, looked at even while single fields are wrong, so that all faults are
named at once. Takes the body as it was read; whatever is no usable value is the fields' own fault and passed over."""

from collections.abc import Callable, Iterator
from typing import Any

from services.gateway.ingest import rules
from services.gateway.ingest.reception import Reception
from shared.errors import Fault
from shared.events.feedback import SCALES

Body = dict[str, Any]
Relations = Callable[[Body, Reception], Iterator[Fault]]


def purchase(body: Body, at: Reception) -> Iterator[Fault]:
    """Lines have ids of their own, cost nothing negative, and sum up to the total."""
    yield from _unique_lines(body)
    paid = [_paid(line, at) for line in _lines(body)]
    for index, amount in enumerate(paid):
        if amount is not None and amount < 0:
            yield Fault(f"/lines/{index}/discount", "discount", "Must not be more than quantity x unit_price.")
    yield from _sum(body, at, paid, "quantity x unit_price - discount")


def returned(body: Body, at: Reception) -> Iterator[Fault]:
    """Something was given back; lines have ids of their own and sum up to it."""
    yield from _unique_lines(body)
    if _minor(body.get("total"), at) == 0:
        yield Fault("/total", "positive", "Must be more than 0.", body["total"])
    if lines := _lines(body):
        yield from _sum(body, at, [_minor(line.get("amount"), at) for line in lines], "amount")


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
            yield Fault("/customer_id", "missing", "This must be there.")
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


def _paid(line: Body, at: Reception) -> int | None:
    quantity, price = line.get("quantity"), _minor(line.get("unit_price"), at)
    discount = 0 if line.get("discount") is None else _minor(line["discount"], at)
    if not isinstance(quantity, int) or isinstance(quantity, bool) or price is None or discount is None:
        return None
    return quantity * price - discount


def _sum(body: Body, at: Reception, parts: list[int | None], of: str) -> Iterator[Fault]:
    total = _minor(body.get("total"), at)
    known = [part for part in parts if part is not None]
    if total is not None and known and len(known) == len(parts) and sum(known) != total:
        yield Fault("/total", "sum_of_lines", f"Must be the sum of the lines ({of}).", body["total"])


def _minor(amount: Any, at: Reception) -> int | None:
    return rules.minor(amount, at.currency) if isinstance(amount, str) else None
