"""Whatever a column holds, PostgreSQL reads the same."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from hypothesis import given
from hypothesis import strategies as st

from shared.db import columns
from tests.support.stack import Parts

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
AWKWARD = st.sampled_from(["", "NULL", "null", '"', '\\"', "\\", "{}", "{a,b}", ",", " a ", "a\nb\t\r", "\x01", "ä€🎁"])
NUMBERS = st.integers(-(2**63), 2**63 - 1)
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
ROWS = st.lists(st.tuples(TEXTS | AWKWARD, NUMBERS, st.uuids(), st.none() | TIMES), max_size=8)

_READ = """
    SELECT * FROM unnest($1::text::text[], $2::text::bigint[], $3::text::uuid[], $4::text::timestamptz[])
"""


async def test_columns_arrive_as_they_were(parts: Parts) -> None:
    async def read(rows: list[tuple[str, int, UUID, datetime | None]]) -> None:
        kinds = (columns.texts, columns.numbers, columns.ids, columns.times)
        sent = columns.of(rows, *kinds) if rows else [kind(()) for kind in kinds]
        connection = await asyncpg.connect(parts.database_url)
        try:
            found = await connection.fetch(_READ, *sent)
        finally:
            await connection.close()
        assert [tuple(row) for row in found] == rows

    @given(ROWS)
    def check(rows: list[tuple[str, int, UUID, datetime | None]]) -> None:
        asyncio.run(read(rows))

    await asyncio.to_thread(check)
