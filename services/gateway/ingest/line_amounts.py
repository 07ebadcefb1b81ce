"""What was paid for each line of an order: its total decides, and what the lines come to is brought to it."""

from collections.abc import Sequence

from shared.apportionment import apportion


def amount_of(milli: int, price: int, discount: int) -> int:
    """Quantity (in thousandths) x price - discount, rounded once to the nearest minor unit, halves away from 0."""
    product = milli * price
    rounded = (abs(product) + 500) // 1000
    return (rounded if product >= 0 else -rounded) - discount


def most_of(amounts: Sequence[int]) -> int:
    """The most that an order with these lines can have cost: a minor unit a line above their sum is rounding. Vouchers
    beyond the goods leave 0 to pay."""
    return max(sum(amounts), 0) + len(amounts)


def paid_of(amounts: Sequence[int], skus: Sequence[str], total: int) -> list[int]:
    """Divide what was paid in all, `most_of` the amounts at the most, over the lines: none gets less than 0, and they
    sum up to it.

    A negative line is taken from the lines of its item, the nearest before it first (the void of a cake costs the cake
    nothing else); what is left of it, and every discount on the order, from all lines by largest remainder.
    """
    if sum(amounts) == total and min(amounts) >= 0:
        return list(amounts)
    return apportion(total, _netted(amounts, skus))


def _netted(amounts: Sequence[int], skus: Sequence[str]) -> list[int]:
    left = [max(amount, 0) for amount in amounts]
    for place, amount in enumerate(amounts):
        missing = -amount
        for other in _nearest_first(place, len(amounts)) if missing > 0 else ():
            if skus[other] == skus[place]:
                part = min(missing, left[other])
                left[other] -= part
                missing -= part
    return left


def _nearest_first(place: int, count: int) -> list[int]:
    """The lines before it, backwards, then those behind it."""
    return [*range(place - 1, -1, -1), *range(place + 1, count)]
