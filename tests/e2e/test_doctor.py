"""`treue doctor` on a platform that is well, that lost a worker, and that lost its servers."""

import json
import time
from typing import Any

from tests.support.eventually import eventually
from tests.support.platform import Platform, run_treue


def diagnosis(platform: Platform) -> tuple[int, dict[str, Any], float]:
    started = time.monotonic()
    done = run_treue(platform.stack.folder.path, "doctor")
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, {each["name"]: each for each in json.loads(done.stdout)}, time.monotonic() - started


def test_a_platform_that_is_well(platform: Platform) -> None:
    code, found, _ = diagnosis(platform)
    assert code == 0, found
    told = {"topics", "migrations", "lag", "dead letters", "parked events", "outbox", "disk", "memory", "clock"}
    told |= {"processes", "ready", "secrets", "mail server", "python", "java", "postgres"}
    assert told <= set(found)
    assert {each["state"] for each in found.values()} <= {"ok", "warn"}


async def test_what_is_wrong_is_named_with_the_next_command(platform: Platform) -> None:
    supervisor = platform.stack.supervisor
    supervisor.stop(["metrics-worker"])
    try:
        code, found, _ = diagnosis(platform)
        assert code == 1
        assert found["processes"]["found"].startswith("metrics-worker is STOPPED")
        assert "treue restart metrics-worker" in found["processes"]["next_step"]
    finally:
        platform.restart("metrics-worker")
    assert diagnosis(platform)[1]["processes"]["state"] == "ok"


async def test_with_the_servers_frozen_it_ends_in_time_and_says_why(platform: Platform) -> None:
    servers = ("postgres", "kafka")
    for name in servers:
        platform.freeze(name)
    try:
        code, found, took_s = diagnosis(platform)
    finally:
        for name in servers:
            platform.thaw(name)
    assert (code, found["database"]["state"], found["topics"]["state"]) == (1, "fail", "fail")
    assert found["dead letters"]["state"] == "unknown"
    assert took_s < 12  # starting Python on a busy machine included; each check ends after 3 s

    async def well() -> None:
        assert diagnosis(platform)[0] == 0

    await eventually(well, within_s=60)
