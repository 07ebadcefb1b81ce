"""What can be done to the positions of points: they are lost, moved by hand, or those of another cluster.

Everything is put back afterwards, by whoever did it, and then the worker goes on by itself."""

from typing import Any, Final

from deploy.chaos.victim import Victim
from shared.events.contract import Topic

WORKER: Final = "points-worker"
# Far enough that no shopper repeats itself over this distance: the record in front must be another one.
_BACK: Final = 7
_LOSE: Final = "DELETE FROM points.consumer_offset WHERE topic = $1"
_MOVE: Final = """
    UPDATE points.consumer_offset SET next_offset = next_offset - $2
    WHERE topic = $1 AND next_offset >= first_offset + $2 RETURNING part, next_offset
"""
# What was read on with meanwhile, since the record in front of it happened to be the same, needs no mending.
_PUT_BACK: Final = """
    UPDATE points.consumer_offset SET next_offset = next_offset + $2
    WHERE topic = $1 AND (part, next_offset) IN (SELECT * FROM unnest($3::smallint[], $4::bigint[]))
"""
_STILL: Final = """
    SELECT part FROM points.consumer_offset
    WHERE topic = $1 AND halted IS NULL AND (part, next_offset) IN (SELECT * FROM unnest($2::smallint[], $3::bigint[]))
"""
_CLUSTER: Final = "UPDATE points.consumer_offset SET cluster_id = $2 WHERE topic = $1"
_KNOWN_CLUSTER: Final = "SELECT DISTINCT cluster_id FROM points.consumer_offset WHERE topic = $1"
_NOT_HALTED: Final = "SELECT part FROM points.consumer_offset WHERE topic = $1 AND halted IS NULL"
_TOPIC: Final = Topic.PURCHASES.value


def lost(victim: Victim) -> None:
    """Everything is read again."""
    with victim.without(WORKER):
        victim.rows(_LOSE, _TOPIC)


def moved(victim: Victim) -> None:
    """Set back under a running worker, which must stand still until that is mended."""
    set_back = victim.rows(_MOVE, _TOPIC, _BACK)
    places = _columns(set_back)
    try:
        victim.until("a position moved by hand is noticed", lambda: not victim.rows(_STILL, _TOPIC, *places))
    finally:
        victim.rows(_PUT_BACK, _TOPIC, _BACK, *places)


def of_another_cluster(victim: Victim) -> None:
    """As after a failover to a mirror, whose offsets mean other records."""
    (known,) = victim.rows(_KNOWN_CLUSTER, _TOPIC)
    try:
        with victim.without(WORKER):
            victim.rows(_CLUSTER, _TOPIC, "another")
        victim.until("another cluster is noticed", lambda: not victim.rows(_NOT_HALTED, _TOPIC))
    finally:
        victim.rows(_CLUSTER, _TOPIC, known["cluster_id"])


def _columns(places: list[Any]) -> tuple[list[int], list[int]]:
    return [row["part"] for row in places], [row["next_offset"] for row in places]
