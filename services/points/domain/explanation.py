"""An entry's arithmetic in words that a customer can follow."""

from collections.abc import Mapping
from typing import Any

from services.points.domain.ledger import EntryKind

_ROUNDED = {"floor": "rounded down", "half_up": "rounded to the nearest", "ceil": "rounded up"}


def sentence(kind: str, points: int, debt: int, detail: Mapping[str, Any]) -> str:
    """What was reckoned, from the numbers that the entry kept."""
    match EntryKind(kind):
        case EntryKind.EARNED:
            return earning(points, detail)
        case EntryKind.CLAWED_BACK:
            return _claw_back(points, debt, detail)
        case EntryKind.RESTORED:
            paid = f" {-debt} of them paid what was owed." if debt else ""
            return f"The cancelled order was bought after all: the {points - debt} points taken for it are back.{paid}"
        case EntryKind.ACTIVATED:
            return f"{detail['points']} points that were pending can be spent from now on."
        case EntryKind.DEBT_PAID:
            left = detail["owed"] + points
            return (
                f"{detail['owed']} points were owed; {-points} of the new points paid for them, {left} are still owed."
            )


def earning(points: int, detail: Mapping[str, Any]) -> str:
    """How a purchase's points came about."""
    return (
        f"{detail['total']} {detail['currency']} x {detail['points_per_unit']} points = {detail['exact']},"
        f" {_ROUNDED[detail['rounding']]}: {points} points."
    )


def _claw_back(points: int, debt: int, detail: Mapping[str, Any]) -> str:
    lost, cut = detail.get("without_usable_lines"), detail.get("clamped")
    lines = f" {lost} of it names no lines that the order has left." if lost else ""
    lines += f" {cut} more than what was left was given back; that is rounding, and counts for nothing." if cut else ""
    owed = f"; {debt} were not there any more and are owed" if debt else ""
    return (
        f"Of {detail['total']} {detail['currency']}, {detail['returned_in_all']} have come back in all. Of the"
        f" {detail['awarded']} points of this order {detail['taken_back_in_all']} must be back by then"
        f" ({detail['return_policy']}), {detail['taken_back_before']} were: {debt - points} now{owed}.{lines}"
    )
