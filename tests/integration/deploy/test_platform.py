"""The whole platform under the operator's commands."""

import os
import stat

import pytest

from deploy.environment import SERVICES
from deploy.local.services import api_name
from tests.support.platform import Platform

PROCESSES = {"kafka", "postgres", "mail"} | {
    name for service in SERVICES for name in (api_name(service), f"{service}-worker")
}


def test_status_names_every_process_and_finds_it_ready(platform: Platform) -> None:
    status = platform.treue("status")
    assert {process["name"] for process in status["processes"]} == PROCESSES
    assert {process["state"] for process in status["processes"]} == {"RUNNING"}
    assert {process["ready"] for process in status["processes"]} == {True, None}
    assert status["base_url"] == platform.base_url


def test_the_description_has_its_fixed_fields_for_the_owner_alone(platform: Platform) -> None:
    file = platform.stack.folder.description
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(platform.description.as_json()) == ["base_url", "tenant", "api_key", "database_url", "kafka_bootstrap"]


def test_up_again_changes_nothing(platform: Platform) -> None:
    before = {name: platform.pid(name) for name in PROCESSES}
    assert platform.treue("up") == platform.description.as_json()
    assert {name: platform.pid(name) for name in PROCESSES} == before


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_a_killed_process_comes_back_and_gets_ready(platform: Platform, name: str) -> None:
    platform.kill(name)
    platform.wait_until_ready()


def test_workers_are_added_and_taken_away_while_the_rest_runs_on(platform: Platform) -> None:
    before = {name: platform.pid(name) for name in PROCESSES}
    assert platform.treue("scale", "points=3")["workers"]["points"] == 3
    processes = {process["name"]: process for process in platform.treue("status")["processes"]}
    assert {"points-worker-2", "points-worker-3"} <= processes.keys()
    assert processes["points-worker-3"]["ready"]
    platform.treue("scale", "points=1")
    assert {process["name"] for process in platform.treue("status")["processes"]} == PROCESSES
    assert {name: platform.pid(name) for name in PROCESSES} == before


def test_restart_makes_new_processes(platform: Platform) -> None:
    before = platform.pid("points-worker")
    platform.treue("restart", "points-worker")
    assert platform.pid("points-worker") != before


def test_a_tenant_and_a_key_from_the_command_line(platform: Platform) -> None:
    made = platform.treue("tenants", "create", "command-line", "--currency", "EUR", "--time-zone", "Europe/Berlin")
    assert made["api_key"].startswith("treue_")
    assert made["tenant"] in {tenant["tenant"] for tenant in platform.treue("tenants", "list")}
    key = platform.treue("keys", "create", "--tenant", made["tenant"], "--scopes", "events:write,metrics:read")
    platform.treue("keys", "revoke", key["id"])
    listed = {one["id"]: one for one in platform.treue("keys", "list", "--tenant", made["tenant"])}
    assert key["id"] in listed
    assert "api_key" not in listed[key["id"]]


def test_logs_and_a_wrong_name(platform: Platform) -> None:
    assert platform.treue("logs", "gateway", "--lines", "3")["lines"]
    refused = platform.run_treue("logs", "nobody")
    assert refused.returncode == 1
    assert "There is no log of 'nobody'" in refused.stderr


def test_the_folder_belongs_to_its_owner(platform: Platform) -> None:
    assert stat.S_IMODE(platform.stack.folder.path.stat().st_mode) & 0o077 == 0
    assert platform.stack.folder.path.stat().st_uid == os.getuid()
