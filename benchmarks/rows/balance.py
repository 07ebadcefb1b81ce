"""Reading a balance: the services on one core, Postgres and load on the other."""

import asyncio
import re
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks import load
from benchmarks.harness import Goal, Row, Sample, cpu_s, in_turn, row
from benchmarks.machine import SERVER_CORE, Machine
from benchmarks.posting_runs import execute, fetch_value
from benchmarks.shop import batch, customer
from benchmarks.size import Size
from deploy.roles import app_role, role_url
from shared.ids import new_id

_CUSTOMERS = 1_000
_BATCH = 100
_LIMIT = "pgbench, prepared SELECT by primary key, 8 clients, on the same core"
_IDLE = ("points-worker", "notifications-api", "notifications-worker", "metrics-api", "metrics-worker",
         "gateway-worker")  # fmt: skip


def balance(machine: Machine, size: Size) -> list[Row]:
    """`balance` and `balance_gateway`."""
    assert machine.description is not None
    description = machine.description
    _fill(machine)
    tokens = _tokens(machine)
    machine.stop(*_IDLE)
    api, gateway = machine.pid("points-api"), machine.pid("gateway")
    mine = [("/v1/customers/me/balance", token) for token in tokens]
    theirs = [(f"/v1/customers/{customer(number)}/balance", description.api_key) for number in range(_CUSTOMERS)]
    points_url = machine.stack.addresses.api("points")
    machine.pin([api, gateway])

    def direct() -> Sample:
        return _measured([api], points_url, mine, size.seconds)

    def forwarded() -> Sample:
        return _measured([api, gateway], description.base_url, theirs, size.seconds)

    try:
        directly = in_turn(size.rounds, direct, lambda: _pgbench(machine, size.seconds))
        through = in_turn(size.rounds, forwarded, lambda: _pgbench(machine, size.seconds))
    finally:
        machine.unpin()
        machine.start(*_IDLE)
    return [
        row("balance", "GET balance at the points api, 32 connections", _LIMIT, "requests/s", directly,
            Goal(0.25, 0.65)),
        row("balance_gateway", "the same through the gateway with an API key", _LIMIT, "requests/s", through,
            Goal(0.10, 0.30)),
    ]  # fmt: skip


def _fill(machine: Machine) -> None:
    """A purchase of each customer, and wait until it is there."""
    assert machine.description is not None
    description = machine.description
    headers = {"authorization": f"Bearer {description.api_key}", "content-type": "application/json"}
    with httpx.Client(base_url=description.base_url, headers=headers, timeout=30) as client:
        for first in range(0, _CUSTOMERS, _BATCH):
            given = batch(_BATCH, f"fill-{new_id().hex}", _CUSTOMERS, first).decode()
            for number in range(_BATCH):  # these customers one after another
                given = given.replace(customer((first + number * 7919) % _CUSTOMERS), customer(first + number) + "~", 1)
            answer = client.post("/v1/purchases/batch", content=given.replace("~", "").encode())
            answer.raise_for_status()
    asyncio.run(_until_all_there(machine))


async def _until_all_there(machine: Machine) -> None:
    """The worker may still be busy with what other benchmarks sent."""
    known = f"SELECT count(*) FROM wallet WHERE customer_id BETWEEN '{customer(0)}' AND '{customer(_CUSTOMERS - 1)}'"
    deadline = time.monotonic() + 120
    while await fetch_value(machine.stack.addresses.database, "points", known) < _CUSTOMERS:
        if time.monotonic() > deadline:
            raise RuntimeError("the customers do not get their balances")
        await asyncio.sleep(0.1)
    await execute(machine.stack.addresses.database, "points", "ANALYZE", "VACUUM wallet", "VACUUM customer")


def _tokens(machine: Machine) -> list[str]:
    """A customer's token for each customer, made by the gateway."""
    assert machine.description is not None
    from shared.auth.principal import Principal
    from shared.auth.tokens import TokenSigner
    from shared.clock import SystemClock

    signer = TokenSigner(machine.stack.credentials.signing_key, SystemClock())
    tenant = machine.description.tenant
    return [signer.sign(Principal(tenant, frozenset(), customer(number)), 3600) for number in range(_CUSTOMERS)]


def _measured(pids: list[int], url: str, wanted: list[tuple[str, str]], seconds: float) -> Sample:
    load.get(url, wanted, 1.0)
    before = [cpu_s(pid) for pid in pids]
    seen = load.get(url, wanted, seconds)
    spent = [(cpu_s(pid) - was) / seen.requests * 1e6 for pid, was in zip(pids, before, strict=True)]
    return Sample(seen.rate, {f"{name}_us": us for name, us in zip(("api", "gateway"), spent, strict=False)}
                  | seen.latency_ms)  # fmt: skip


def _pgbench(machine: Machine, seconds: float) -> Sample:
    assert machine.description is not None
    credentials = machine.stack.credentials
    url = role_url(machine.stack.addresses.database, app_role("points"), credentials.password(app_role("points")))
    script = (
        f"\\set n random(0, {_CUSTOMERS - 1})\n"
        "SELECT posted, pending, held, debt, lifetime_earned, version FROM wallet"
        f" WHERE tenant = '{machine.description.tenant}' AND customer_id = 'customer-' || lpad((:n)::text, 7, '0');\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "select.sql")
        file.write_text(script)
        command = [
            "taskset", "-c", str(SERVER_CORE[0]), "pgbench", "-n", "-M", "prepared", "-c", "8", "-j", "1",
            "-T", str(max(1, round(seconds))), "-f", str(file), url,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"tps = ([\d.]+) \(without initial", done.stdout)
    if found is None:
        raise RuntimeError(f"pgbench said {done.stdout!r}")
    return Sample(float(found[1]))
