"""`treue verify`: runs every check, on the live system, and prints a line for each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated

import asyncpg
import typer
from rich.table import Table

from deploy.audit.agreement import agreement
from deploy.audit.check import Check, Finding, run
from deploy.audit.completeness import completeness
from deploy.audit.explained import check_of, every_offset_explained
from deploy.audit.range import CHECK, beyond_the_log
from deploy.audit.services import SERVICE_CHECKS
from deploy.connections import administrator
from deploy.description import Description
from deploy.local.folder import StackFolder
from deploy.output import progress, show
from deploy.problems import OperatorError
from shared.messaging.away import KafkaAwayError

SERVICES = ("gateway", "points", "notifications", "metrics")
_DRIFT, _NOT_AUDITED = 1, 2
_TENANTS = "SELECT DISTINCT tenant FROM points.programme ORDER BY 1"


class NotAuditedError(OperatorError):
    """Nothing was looked at, so nobody may take this for drift."""

    exit_code = _NOT_AUDITED


def verify(
    tenant: Annotated[str | None, typer.Option(help="Look at one tenant only; all of them without it.")] = None,
) -> None:
    """Audit the books: entries against wallets, lots against balances, offsets against effects, services against each
    other.

    Exits with 0 when nothing differs, with 1 on drift, with 2 when there is no drift as far as could be seen, but not
    everything could be checked: a server is away, or nobody knows the tenant."""
    try:
        described = Description.required(StackFolder.chosen())
        tenants, findings = asyncio.run(audit(described.database_url, described.kafka_bootstrap, tenant))
    except OperatorError as problem:
        raise NotAuditedError(problem.what, problem.next_step) from problem
    except asyncpg.PostgresError as error:
        raise NotAuditedError(f"No database to audit: {error}.", "`treue migrate` makes its tables.") from error
    drift = sum(finding.differing for finding in findings)
    unseen = sum(finding.not_checked is not None for finding in findings)
    show(
        {
            "tenants": tenants, "drift": drift, "not_checked": unseen,
            "checks": [finding.as_json() for finding in findings],
        },
        _table(findings),
        *_differences(findings),
        *_not_checked(findings),
        f"{'No drift' if not drift else f'DRIFT: {drift} rows differ'} in {len(tenants)} tenants"
        + (f"; {unseen} of {len(findings)} checks could not be made." if unseen else "."),
    )  # fmt: skip
    if drift or unseen:
        raise typer.Exit(_DRIFT if drift else _NOT_AUDITED)


async def audit(database_url: str, bootstrap: str, tenant: str | None = None) -> tuple[list[str], list[Finding]]:
    """The tenants that were looked at, and what each check found. Each service is read in one snapshot. Raises
    OperatorError for a tenant that nobody knows."""
    async with administrator(database_url) as connection:
        await connection.execute("SET statement_timeout = 0")
        tenants = [row["tenant"] for row in await connection.fetch(_TENANTS)]
        if tenant is not None and tenant not in tenants:
            raise OperatorError(f"The books know no tenant {tenant!r}.", "`treue tenants list` names them all.")
        findings: list[Finding] = []
        topics = _Topics()
        for service in SERVICES:
            checks = [*completeness(service), *SERVICE_CHECKS.get(service, ())]
            findings += await _snapshot(connection, checks, tenant)
            explained = partial(every_offset_explained, connection, bootstrap, service)
            findings.append(await topics.look(check_of(service), explained))
        findings += await _snapshot(connection, agreement(), tenant)
        findings.append(await topics.look(CHECK, partial(beyond_the_log, connection, bootstrap, SERVICES)))
        return [name for name in tenants if tenant in (None, name)], findings


class _Topics:
    """Makes the checks that read topics, until Kafka does not answer once: every other would wait as long in vain."""

    def __init__(self) -> None:
        self._away: str | None = None

    async def look(self, check: Check, looking: Callable[[], Awaitable[Finding]]) -> Finding:
        if self._away is None:
            _announce(check)
            try:
                return await looking()
            except KafkaAwayError as error:
                self._away = str(error)
        return Finding(check, 0, 0, (), not_checked=self._away)


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
        style = "red" if finding.differing else "yellow" if finding.named else None
        check = finding.check
        figures = [f"{count:,}" for count in (finding.counted, finding.left_out, finding.differing)]
        if finding.named:
            figures[-1] = f"{finding.named:,} named"
        if finding.not_checked:
            style, figures = "yellow", ["", "", "not checked"]
        table.add_row(check.service, check.name, *figures, style=style)
    return table


def _not_checked(findings: Sequence[Finding]) -> list[str]:
    return [
        f"  {finding.check.service}.{finding.check.name}: not checked. {finding.not_checked}."
        for finding in findings
        if finding.not_checked
    ]


def _differences(findings: Sequence[Finding]) -> list[str]:
    lines = []
    for finding in findings:
        for row in finding.rows:
            fields = ", ".join(f"{name}={value}" for name, value in row.items())
            lines.append(f"  {finding.check.service}.{finding.check.name}: {fields}")
    return lines
