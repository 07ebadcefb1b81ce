"""Flat properties that a shop hangs on an event."""

from collections.abc import Mapping

from msgspec import UnsetType

from services.gateway.ingest import rules

Properties = Mapping[str, str | int | bool | None] | None | UnsetType


def properties_of(given: Properties) -> dict[str, str | int | bool | None]:
    """In the order of their names, so that another order is not another body."""
    return dict(sorted(given.items())) if given else {}


def are_properties(given: Properties) -> bool:
    """Whether every name is printable and every text free of control characters."""
    return not given or all(
        rules.is_id(key) and (not isinstance(value, str) or rules.is_text(value)) for key, value in given.items()
    )
