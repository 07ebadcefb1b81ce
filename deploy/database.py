"""Roles and schemas: each service has a schema, a role that owns it and migrates, and a role that only works in it.

Running it again changes nothing but the passwords. One more role reads everything and writes nothing: the auditor.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

import asyncpg

from deploy.environment import SERVICES
from deploy.roles import AUDITOR, app_role, database_url, owner_role

# Two bootstraps at the same time would trip over each other's CREATE ROLE.
_LOCK = 0x7472657565


async def create_database(admin_url: str, name: str) -> bool:
    """False when it exists already."""
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f"CREATE DATABASE {_name(name)}")
    except asyncpg.DuplicateDatabaseError:
        return False
    finally:
        await connection.close()
    return True


async def open_database(admin_url: str) -> str | None:
    """Makes the database that the address names when its server lacks it. Returns what is wrong, if anything."""
    try:
        connection = await asyncpg.connect(admin_url, timeout=5)
        await connection.close()
    except asyncpg.InvalidCatalogNameError:
        await create_database(database_url(admin_url, "postgres"), urlsplit(admin_url).path.removeprefix("/"))
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return str(error) or type(error).__name__
    return None


async def drop_database(admin_url: str, name: str) -> None:
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {_name(name)} WITH (FORCE)")
    finally:
        await connection.close()


async def bootstrap(admin_url: str, passwords: Mapping[str, str], services: Iterable[str] = SERVICES) -> None:
    """Roles, schemas and rights in the database that `admin_url` names, all in one transaction."""
    connection = await asyncpg.connect(admin_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            await _role(connection, AUDITOR, passwords[AUDITOR])
            await connection.execute(f"GRANT pg_read_all_data TO {AUDITOR}")
            await connection.execute(f"ALTER ROLE {AUDITOR} SET default_transaction_read_only = on")
            for service in services:
                await _service(connection, service, passwords)
    finally:
        await connection.close()


async def _service(connection: asyncpg.Connection, service: str, passwords: Mapping[str, str]) -> None:
    owner, app = owner_role(service), app_role(service)
    for role in (owner, app):
        await _role(connection, role, passwords[role])
        await connection.execute(f"ALTER ROLE {role} SET search_path = {service}")
    # An administrator who is no superuser may only give a schema to a role that it can act as.
    await connection.execute(f"GRANT {owner} TO CURRENT_USER")
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {owner}")
    await connection.execute(f"GRANT USAGE ON SCHEMA {service} TO {app}")
    # No default privileges: each migration grants what its tables allow, and history allows no UPDATE or DELETE.


async def _role(connection: asyncpg.Connection, role: str, password: str) -> None:
    """Created when missing; the password is set in any case, so that a rotated one takes hold."""
    if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role):
        await connection.execute(f"CREATE ROLE {role} LOGIN")
    # The server quotes the password: a utility statement takes no parameters.
    statement = await connection.fetchval(
        "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)", role, password
    )
    await connection.execute(statement)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
