"""`treue verify`: runs every check, on the live system, and prints a line for each. Exit 1 when anything differs."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import asyncpg
import typer
from rich.table import Table

from deploy.audit.agreement import agreement
from deploy.audit.check import Check, Finding, run
from deploy.audit.completeness import completeness
from deploy.audit.explained import check_of, every_offset_explained
from deploy.audit.range import beyond_the_log
from deploy.audit.services import SERVICE_CHECKS
from deploy.description import Description
from deploy.local.folder import StackFolder
from deploy.output import progress, show
from deploy.problems import OperatorError

SERVICES = ("gateway", "points", "notifications", "metrics")


def verify(
    tenant: Annotated[str | None, typer.Option(help="Look at one tenant only; all of them without it.")] = None,
) -> None:
    """Audit the books: entries against wallets, lots against balances, offsets against effects, services against each
    other."""
    described = Description.required(StackFolder.chosen())
    tenants, findings = asyncio.run(audit(described.database_url, described.kafka_bootstrap, tenant))
    drift = sum(finding.differing for finding in findings)
    show(
        {"tenants": tenants, "drift": drift, "checks": [finding.as_json() for finding in findings]},
        _table(findings),
        *_differences(findings),
        f"{'No drift' if not drift else f'DRIFT: {drift} rows differ'} in {len(tenants)} tenants.",
    )
    if drift:
        raise typer.Exit(1)


async def audit(database_url: str, bootstrap: str, tenant: str | None = None) -> tuple[list[str], list[Finding]]:
    """The tenants that were looked at, and what each check found. Each service is read in one snapshot."""
    try:
        connection = await asyncpg.connect(database_url, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise OperatorError(f"The database does not answer: {error}.", "Is it up? `treue status` tells.") from error
    try:
        await connection.execute("SET statement_timeout = 0")
        tenants = [
            row["tenant"] for row in await connection.fetch("SELECT DISTINCT tenant FROM points.programme ORDER BY 1")
        ]
        findings: list[Finding] = []
        for service in SERVICES:
            checks = [*completeness(service), *SERVICE_CHECKS.get(service, ())]
            findings += await _snapshot(connection, checks, tenant)
            _announce(check_of(service))
            findings.append(await every_offset_explained(connection, bootstrap, service))
        findings += await _snapshot(connection, agreement(), tenant)
        findings.append(await beyond_the_log(connection, bootstrap, SERVICES))
        return [name for name in tenants if tenant in (None, name)], findings
    finally:
        await connection.close()


async def _snapshot(connection: asyncpg.Connection, checks: Sequence[Check], tenant: str | None) -> list[Finding]:
    """Run these checks on one instant of a system that goes on working."""
    found = []
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        for check in checks:
            _announce(check)
            found.append(await run(connection, check, tenant))
    return found


def _announce(check: Check) -> None:
    progress().print(f"  {check.service}: {check.description}", style="dim", highlight=False)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table("service", "check", "looked at", "left out", "differ", box=None)
    for finding in findings:
        style = "red" if finding.differing else None
        check = finding.check
        figures = (f"{count:,}" for count in (finding.counted, finding.left_out, finding.differing))
        table.add_row(check.service, check.name, *figures, style=style)
    return table


def _differences(findings: Sequence[Finding]) -> list[str]:
    lines = []
    for finding in findings:
        for row in finding.rows:
            fields = ", ".join(f"{name}={value}" for name, value in row.items())
            lines.append(f"  {finding.check.service}.{finding.check.name}: {fields}")
    return lines
