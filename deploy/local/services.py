"""The processes of the four services."""

import sys
from collections.abc import Iterator

from deploy.environment import SERVICES
from deploy.local.addresses import Addresses
from deploy.local.program import Program
from deploy.local.service_environment import service_environment


def api_name(service: str) -> str:
    """The gateway is what everybody asks for by its plain name."""
    return service if service == "gateway" else f"{service}-api"


def worker_names(service: str, count: int) -> list[str]:
    """points-worker, points-worker-2, points-worker-3 ..."""
    first = f"{service}-worker"
    return [first, *(f"{first}-{number}" for number in range(2, count + 1))][:count]


def service_programs(addresses: Addresses) -> Iterator[Program]:
    for service in SERVICES:
        yield _program(api_name(service), service, "api", service_environment(service, addresses))
        for name in worker_names(service, addresses.choices.workers.get(service, 1)):
            yield _program(name, service, "worker", service_environment(service, addresses, name))


def _program(name: str, service: str, role: str, environment: dict[str, str]) -> Program:
    command = (sys.executable, "-m", f"services.{service}", role)
    return Program(name=name, command=command, environment=environment)
