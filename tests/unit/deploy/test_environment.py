"""The table of variables and the local stack agree."""

import io
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import AliasChoices
from rich.console import Console

from deploy.environment import SERVICES, variables
from deploy.local.folder import StackFolder
from deploy.local.service_environment import service_environment
from deploy.local.services import service_programs, worker_names
from deploy.local.stack import LocalStack


@pytest.fixture
def stack(tmp_path: Path) -> LocalStack:
    return LocalStack(StackFolder(tmp_path), Console(file=io.StringIO()), preferred={})


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_what_the_table_says_and_nothing_else(stack: LocalStack, service: str) -> None:
    given = service_environment(service, stack.addresses).keys()
    table = variables(service)
    assert {variable.name for variable in table if not variable.optional} <= given
    assert given <= {variable.name for variable in table}


@pytest.mark.parametrize("service", SERVICES)
def test_the_table_and_the_settings_of_a_service_know_each_other(service: str) -> None:
    """What a service cannot do without is in the table; what is in the table is read."""
    prefix = f"{service.upper()}_"
    settings = getattr(import_module(f"services.{service}.settings"), f"{service.capitalize()}Settings")
    table = {variable.name for variable in variables(service)}
    for name, field in settings.model_fields.items():
        known_as = {alias for alias in _aliases(field.validation_alias) if alias.isupper()} or {prefix + name.upper()}
        assert not field.is_required() or known_as & table, name
        table -= known_as
    assert table == set()


def _aliases(alias: object) -> list[str]:
    return [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else []


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
