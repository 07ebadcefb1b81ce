"""Shoppers on the whole platform while a test breaks something, and the judge at the end."""

import contextlib
import os
from collections.abc import Iterator

from deploy.chaos.judge import Court
from deploy.chaos.load import Load
from deploy.gateway import Gateway
from shared.ids import new_id
from tests.support.platform import Platform

# `TREUE_SEED=n make test` repeats what shoppers did.
SEED = int(os.environ.get("TREUE_SEED") or new_id().int % 1_000_000)


def open_court(platform: Platform) -> Court:
    """A tenant of the test's own."""
    wanted = {"name": f"faults-{new_id().hex}", "currency": "EUR", "time_zone": "Europe/Berlin"}
    made = Gateway.of(platform.stack).call("POST", "/v1/tenants", wanted)
    return Court.opened(
        platform.base_url, platform.database_url, platform.kafka_bootstrap, made["tenant"], made["api_key"]
    )


@contextlib.contextmanager
def load_on(platform: Platform, shoppers: int = 3, pause_s: float = 0.05) -> Iterator[Load]:
    """Shoppers for as long as the block runs; at its end everything must be as they remember it."""
    print(f"TREUE_SEED={SEED}")  # noqa: T201 - pytest shows it when the test fails
    court = open_court(platform)
    load = Load(court.base_url, court.api_key, seed=SEED, shoppers=shoppers, pause_s=pause_s)
    try:
        load.progressed(5)
        yield load
    finally:
        memory = load.finish()
    platform.wait_until_ready()
    court.judge(memory)
