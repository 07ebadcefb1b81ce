"""A figure counts only when the books are right: what every benchmark has written is audited."""

import asyncio
import time
from collections.abc import Sequence

import asyncpg

from benchmarks.harness import Goal, Row
from benchmarks.machine import Database, Machine
from benchmarks.settling import wait_until_done
from deploy.audit.check import Finding, run
from deploy.audit.report import audit
from deploy.audit.services import SERVICE_CHECKS

_SETTLED_WITHIN_S = 300.0


def verify_row(machine: Machine) -> Row:
    """`treue verify` on the platform that was measured: how many rows differ."""
    wait_until_done(machine)
    findings = asyncio.run(_settled(machine))
    unseen = {finding.not_checked for finding in findings if finding.not_checked}
    if unseen:
        raise RuntimeError(f"the platform could not be audited: {unseen}")
    drift = float(sum(finding.differing for finding in findings))
    return Row(
        "verify", "rows that differ after all that was measured over HTTP (`treue verify`)", "none", "rows", drift,
        None, drift, (drift, drift), 1, Goal(0, 0, smaller=True),
        {"checks": len(findings), "looked_at": sum(finding.counted for finding in findings), **_wrong(findings)},
    )  # fmt: skip


def _wrong(findings: Sequence[Finding]) -> dict[str, int]:
    return {f"{each.check.service}.{each.check.name}": each.differing for each in findings if each.differing}


async def _settled(machine: Machine) -> list[Finding]:
    """Once every service has read everything; what still differs after a while is drift."""
    deadline = time.monotonic() + _SETTLED_WITHIN_S
    while True:
        _, findings = await audit(machine.stack.addresses.database, machine.kafka)
        if all(finding.is_right for finding in findings) or time.monotonic() > deadline:
            return findings
        await asyncio.sleep(2)


def require_right_books(database: Database, service: str) -> None:
    """Raises RuntimeError when a service's own tables contradict each other."""
    wrong = [finding for finding in asyncio.run(_books(database.admin, service)) if finding.differing]
    if wrong:
        raise RuntimeError(f"the books of {service} are wrong after the benchmark: {[w.as_json() for w in wrong]}")


async def _books(admin: str, service: str) -> list[Finding]:
    connection = await asyncpg.connect(admin)
    try:
        return [await run(connection, check, None) for check in SERVICE_CHECKS[service]]
    finally:
        await connection.close()
