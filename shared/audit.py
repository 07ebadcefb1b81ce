"""What a service tells the auditor (`treue verify`) about its own tables."""

from typing import NamedTuple


class Law(NamedTuple):
    """What must be true at every committed instant. `differing` selects the rows that contradict it, the tenant first:
    none is the proof; `counted` says how many rows were looked at. Both take a tenant as $1, or null for all."""

    name: str
    description: str
    differing: str
    counted: str
