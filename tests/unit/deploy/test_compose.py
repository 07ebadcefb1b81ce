"""docker-compose.yml against the compose schema, against the table of variables, and against what it refers to."""

import json
import re
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from deploy.bootstrap import passwords
from deploy.declared_topics import DECLARATION
from deploy.env_file import POSTGRES_PASSWORD, fresh_secrets, rendered, sections
from deploy.environment import BOOTSTRAP, SERVICES, variables
from deploy.local.folder import PROJECT
from deploy.local.services import api_name
from deploy.roles import ROLES

TEXT = (PROJECT / "docker-compose.yml").read_text()


@pytest.fixture
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(TEXT)
    return document


def test_it_is_a_compose_file(compose: dict[str, Any]) -> None:
    PyCompose.from_json(json.dumps(compose)).validate()


def test_the_schema_refuses_what_is_not_one(compose: dict[str, Any]) -> None:
    compose["services"]["kafka"]["restrat"] = "always"
    with pytest.raises(ValueError, match="restrat"):
        PyCompose.from_json(json.dumps(compose))


@pytest.mark.parametrize("service", SERVICES)
def test_every_process_of_a_service_has_its_variables(compose: dict[str, Any], service: str) -> None:
    wanted = {variable.name for variable in variables(service)}
    for name in (f"{service}-migrations", api_name(service), f"{service}-worker"):
        assert set(compose["services"][name]["environment"]) == wanted


def test_a_secret_has_no_default_and_everything_else_the_tables(compose: dict[str, Any]) -> None:
    for service in SERVICES:
        given = compose["services"][api_name(service)]["environment"]
        for variable in variables(service):
            if variable.optional:
                assert given[variable.name] is None
            elif variable.secret:
                assert given[variable.name] == f"${{{variable.name}:?see .env.example}}"
            elif f"{variable.name}:?" not in given[variable.name]:
                assert given[variable.name] == f"${{{variable.name}:-{variable.example}}}"


def test_what_it_refers_to_exists(compose: dict[str, Any]) -> None:
    used = set(re.findall(r"\$\{(\w+)", TEXT))
    assert used == {one.name for section in sections().values() for one in section if not one.optional}
    for name, service in compose["services"].items():
        assert set(service.get("depends_on", {})) <= set(compose["services"]), name
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in compose["volumes"]
        if build := service.get("build"):
            assert (PROJECT / build["dockerfile"]).exists()
            assert (PROJECT / "requirements" / f"{build['args']['SERVICE']}.txt").exists()


def test_the_bootstrap_job_has_what_it_reads(compose: dict[str, Any]) -> None:
    given = compose["services"]["bootstrap"]["environment"]
    assert {variable.name for variable in BOOTSTRAP} < set(given)
    assert "KAFKA_BOOTSTRAP" in given
    made = fresh_secrets()
    assert set(passwords(made)) == set(ROLES)
    assert all(password in made[_variable_of(role)] for role, password in passwords(made).items())
    assert DECLARATION.exists()


def test_the_example_is_the_table_without_secrets() -> None:
    example = (PROJECT / ".env.example").read_text()
    assert example == rendered({}), "write it anew with `python -m deploy.env_file`"
    assert f"{POSTGRES_PASSWORD.name}=\n" in example


def _variable_of(role: str) -> str:
    service, _, owner = role.removeprefix("treue_").partition("_")
    return f"{service.upper()}_{'MIGRATION' if owner else 'DATABASE'}_URL"
