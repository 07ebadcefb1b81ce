"""Migrations: Alembic per service, in its own schema, by the role that owns it, one runner at a time.

A migration must work while the previous release still runs (expand, then contract), so it may not wait long for a
lock: it fails and is run again rather than stopping everybody behind it.
"""

from pathlib import Path
from zlib import crc32

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from shared.db.engine import create_engine

_LOCK_CLASS = 0x7E0E  # the first half of our advisory locks; the second is the schema's name


async def migrate(url: str, schema: str, migrations: Path) -> list[str]:
    """Bring the schema to the newest revision and return the revisions that were applied, oldest first.

    `migrations` is the service's folder with `versions/` in it; `url` is by the role that owns the schema.
    """
    engine = create_engine(url, name=f"treue-migrate-{schema}", pool_size=1, command_timeout_s=300, schema=schema)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_upgrade, schema, migrations)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, schema: str, migrations: Path) -> list[str]:
    connection.execute(text("SET LOCAL lock_timeout = '4s'"))
    connection.execute(text("SET LOCAL statement_timeout = '120s'"))
    # Waiting for another runner is not waiting for a table: the advisory lock has no time limit of four seconds.
    connection.execute(text("SET LOCAL lock_timeout = '60s'"))
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:a, :b)"), {"a": _LOCK_CLASS, "b": crc32(schema.encode()) >> 1}
    )
    connection.execute(text("SET LOCAL lock_timeout = '4s'"))
    config = Config()
    config.set_main_option("script_location", str(migrations))
    script = ScriptDirectory.from_config(config)
    applied: list[str] = []

    def to_head(revision: tuple[str, ...] | str, _: MigrationContext) -> list[RevisionStep]:
        steps: list[RevisionStep] = script._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001
        applied.extend(str(step.to_revisions_no_deps[0]) for step in steps)
        return steps

    with EnvironmentContext(config, script, fn=to_head, destination_rev="head") as environment:
        environment.configure(connection=connection, version_table="migration", version_table_schema=schema)
        environment.run_migrations()
    return applied
