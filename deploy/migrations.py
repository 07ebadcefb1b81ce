"""Brings every schema up to date: roles and schemas first, then each service's own migrations.

They run in this process, by the function that `python -m services.<name> migrate` calls too (containers do that):
starting an interpreter for each of them would take longer than all the rest of a warm start.
"""

import asyncio

from deploy.environment import SERVICES
from deploy.local.folder import PROJECT
from deploy.local.stack import LocalStack
from deploy.output import progress, show
from deploy.problems import OperatorError
from deploy.roles import owner_role, role_url


def migrate() -> None:
    """Make roles and schemas where they are missing and run all migrations."""
    stack = LocalStack.with_servers(progress())
    stack.wait_for_database()
    applied = migrate_services(stack)
    words = [f"{service}: {', '.join(revisions) or 'nothing new'}" for service, revisions in applied.items()]
    show({"migrated": applied}, *words)


def migrate_services(stack: LocalStack) -> dict[str, list[str]]:
    """The revisions that were applied, by service."""
    return asyncio.run(_migrate(stack))


async def _migrate(stack: LocalStack) -> dict[str, list[str]]:
    return {service: await _migrate_one(stack, service) for service in SERVICES}


async def _migrate_one(stack: LocalStack, service: str) -> list[str]:
    from sqlalchemy.exc import SQLAlchemyError

    from shared.db.migrate import migrate

    role = owner_role(service)
    url = role_url(stack.addresses.database, role, stack.credentials.password(role))
    try:
        return await migrate(url, service, PROJECT / "services" / service / "migrations")
    except SQLAlchemyError as error:
        raise OperatorError(
            f"The migrations of {service} failed: {error}",
            "Nothing of them was kept. Mend that and run `treue migrate` again.",
        ) from error
