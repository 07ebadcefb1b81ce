"""`python -m deploy.bootstrap`: roles, schemas and topics, from nothing but the environment.

The init job of docker compose and Kubernetes. The roles' passwords are those in the services' own addresses, so that
nothing has to be said twice.
"""

import asyncio
import os
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from deploy.database import bootstrap, open_database
from deploy.declared_topics import apply_declared_topics
from deploy.environment import SERVICES
from deploy.local.waiting import reach, wait_until
from deploy.roles import AUDITOR, app_role, owner_role

_TIMEOUT_S = 120


def passwords(environment: Mapping[str, str]) -> dict[str, str]:
    found = {AUDITOR: _password(environment["AUDITOR_DATABASE_URL"])}
    for service in SERVICES:
        found[app_role(service)] = _password(environment[f"{service.upper()}_DATABASE_URL"])
        found[owner_role(service)] = _password(environment[f"{service.upper()}_MIGRATION_URL"])
    return found


def main(environment: Mapping[str, str]) -> None:
    admin_url, kafka = environment["DATABASE_URL"], environment["KAFKA_BOOTSTRAP"]
    wait_until("PostgreSQL", lambda: asyncio.run(open_database(admin_url)), _TIMEOUT_S, lambda: "Check DATABASE_URL.")
    asyncio.run(bootstrap(admin_url, passwords(environment)))
    wait_until("Kafka", lambda: _kafka_problem(kafka), _TIMEOUT_S, lambda: "Check KAFKA_BOOTSTRAP.")
    apply_declared_topics(kafka)


def _kafka_problem(kafka: str) -> str | None:
    try:
        reach(kafka)
    except OSError as error:
        return str(error)
    return None


def _password(url: str) -> str:
    return unquote(urlsplit(url).password or "")


if __name__ == "__main__":
    main(os.environ)
