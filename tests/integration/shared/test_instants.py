"""Instants come back from PostgreSQL as they went, and are the instants that PostgreSQL itself means."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.db.engine import create_engine
from shared.db.transaction import transaction
from tests.support.stack import Parts

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES)  # noqa: DTZ001 - bounds are naive


async def test_instants_come_back_as_they_went(parts: Parts) -> None:
    async def there_and_back(instant: datetime) -> None:
        engine = create_engine(parts.database_url, name="test", pool_size=1)
        try:
            async with transaction(engine) as tx:
                query = "SELECT $1::timestamptz, extract(epoch FROM $1::timestamptz)::text, now() - tx FROM now() AS tx"
                found, epoch, no_time = await tx.raw.fetchrow(query, instant)
        finally:
            await engine.dispose()
        assert found == instant
        assert found.tzinfo is UTC
        assert timedelta(seconds=int(epoch.split(".")[0]), microseconds=int(epoch.split(".")[1])) == _signed(instant)
        assert no_time == timedelta(0)

    @given(TIMES.filter(lambda instant: instant >= datetime(1970, 1, 1, tzinfo=UTC)))
    def since_1970(instant: datetime) -> None:
        asyncio.run(there_and_back(instant))

    await asyncio.to_thread(since_1970)


def _signed(instant: datetime) -> timedelta:
    return instant - datetime(1970, 1, 1, tzinfo=UTC)


async def test_an_instant_without_an_offset_is_refused(parts: Parts) -> None:
    engine = create_engine(parts.database_url, name="test", pool_size=1)
    try:
        with pytest.raises(Exception, match="offset-naive"):
            async with transaction(engine) as tx:
                await tx.raw.fetchval("SELECT $1::timestamptz", datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
    finally:
        await engine.dispose()
