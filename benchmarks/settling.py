"""Waiting until the services have done what was sent to them: they are behind what a benchmark sends."""

import asyncio
import time

from benchmarks.machine import Machine
from benchmarks.posting_runs import fetch_value

# Each purchase is a record to points and to metrics, and what points says of it one to notifications.
_DONE = """
    SELECT coalesce(sum(next_offset), 0)::bigint / 3 FROM (
        SELECT next_offset FROM points.consumer_offset UNION ALL SELECT next_offset FROM metrics.consumer_offset
        UNION ALL SELECT next_offset FROM notifications.consumer_offset
    ) AS positions
"""
_STILL_S = 5.0


def events_done(machine: Machine) -> int:
    """How many events every service has done, on an average of the services."""
    return int(asyncio.run(fetch_value(machine.stack.addresses.database, "points", _DONE)))


def wait_until_still(machine: Machine) -> None:
    """Returns when no service has done anything for a while."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < _STILL_S:
        now = events_done(machine)
        if now != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.5)
