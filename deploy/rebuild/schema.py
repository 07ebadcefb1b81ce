"""The schema that a rebuild makes: never one that anybody works with, and gone again when the rebuild does not end."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from deploy.environment import SERVICES
from deploy.problems import OperatorError

_CHOOSE = "Choose another name with --into."
# Words that SQL takes for itself. Only the server knows all of them.
_IS_RESERVED = "SELECT EXISTS (SELECT FROM pg_get_keywords() WHERE word = $1 AND catcode <> 'U')"


def refuse_impossible(schema: str) -> None:
    """Raises OperatorError for a name that no new schema may have."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", schema):
        raise OperatorError(f"{schema!r} is no name for a schema.", "Use small letters, digits and _.")
    if schema in SERVICES:
        raise OperatorError(f"{schema} is the live schema of a service, which nobody rebuilds into.", _CHOOSE)
    if schema.startswith("pg_"):
        raise OperatorError(f"PostgreSQL keeps names like {schema} for itself.", _CHOOSE)


@asynccontextmanager
async def new_schema(database: asyncpg.Connection, schema: str, *, drop: bool) -> AsyncIterator[None]:
    """The schema is there, empty, while the block runs; it stays afterwards unless the block fails, or `drop` is given.
    Raises OperatorError when it cannot be made."""
    refuse_impossible(schema)
    if await database.fetchval(_IS_RESERVED, schema):
        raise OperatorError(f"PostgreSQL takes {schema} for a word of its language.", _CHOOSE)
    try:
        await database.execute(f"CREATE SCHEMA {schema}")
    except asyncpg.DuplicateSchemaError as error:
        raise OperatorError(
            f"The schema {schema} exists already.", f"{_CHOOSE} If an earlier rebuild left it: {_how_to_drop(schema)}."
        ) from error
    try:
        yield
    except BaseException:
        await _drop(database, schema)
        raise
    if drop:
        await _drop(database, schema)


async def _drop(database: asyncpg.Connection, schema: str) -> None:
    try:
        await database.execute(f"DROP SCHEMA {schema} CASCADE")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise OperatorError(
            f"The schema {schema} could not be dropped: {error}.", f"Drop it later: {_how_to_drop(schema)}."
        ) from error


def _how_to_drop(schema: str) -> str:
    return f"`DROP SCHEMA {schema} CASCADE` by the database's administrator"
