"""A whole divided over parts, so that the parts sum to the whole: points over lines, a discount over an order."""

from collections.abc import Sequence


def apportion(whole: int, weights: Sequence[int]) -> list[int]:
    """Divide a whole of 0 or more by weights of 0 or more: largest remainder first, the earlier part where remainders
    are equal (Hamilton's method). Parts without any weight share evenly."""
    if not weights:
        return []
    total = sum(weights)
    if total <= 0:
        return apportion(whole, [1] * len(weights))
    parts = [whole * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
    for i in by_remainder[: whole - sum(parts)]:
        parts[i] += 1
    return parts
