"""The table of variables and the local stack agree."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from deploy.environment import SERVICES, variables
from deploy.local.folder import StackFolder
from deploy.local.service_environment import service_environment
from deploy.local.services import service_programs, worker_names
from deploy.local.stack import LocalStack
from shared.settings import ServiceSettings


@pytest.fixture
def stack(tmp_path: Path) -> LocalStack:
    return LocalStack(StackFolder(tmp_path), Console(file=io.StringIO()), preferred={})


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_what_the_table_says_and_nothing_else(stack: LocalStack, service: str) -> None:
    given = service_environment(service, stack.addresses).keys()
    table = variables(service)
    assert {variable.name for variable in table if not variable.optional} <= given
    assert given <= {variable.name for variable in table}


def test_the_settings_of_every_service_are_in_the_table() -> None:
    shared = {"database_url", "migration_url", "host", "port", "worker_port"}
    assert shared <= set(ServiceSettings.model_fields)
    for service in SERVICES:
        names = {variable.name for variable in variables(service)}
        assert {f"{service.upper()}_{field.upper()}" for field in shared} <= names


def test_each_worker_has_a_port_of_its_own(stack: LocalStack) -> None:
    stack.choices.with_workers({"points": 3}).save(stack.folder)
    programs = {program.name: program.environment for program in service_programs(stack.addresses)}
    assert worker_names("points", 3) == ["points-worker", "points-worker-2", "points-worker-3"]
    ports = {programs[name]["POINTS_WORKER_PORT"] for name in worker_names("points", 3)}
    assert len(ports) == 3


def test_a_role_gets_its_own_password(stack: LocalStack) -> None:
    url = service_environment("points", stack.addresses)["POINTS_DATABASE_URL"]
    assert url.startswith(f"postgresql://treue_points:{stack.credentials.password('treue_points')}@127.0.0.1:")


def test_the_secrets_stay_the_same(stack: LocalStack) -> None:
    again = LocalStack(stack.folder, Console(file=io.StringIO()), preferred={})
    assert again.credentials == stack.credentials
