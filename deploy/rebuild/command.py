"""`treue rebuild SERVICE --into SCHEMA --compare`."""

import asyncio
from enum import StrEnum
from importlib import import_module
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.connections import administrator
from deploy.description import Description
from deploy.local.folder import StackFolder
from deploy.output import progress, show
from deploy.problems import OperatorError
from deploy.rebuild.compare import compare
from deploy.rebuild.fold import Fold
from deploy.rebuild.frozen import freeze
from deploy.rebuild.schema import new_schema, refuse_impossible
from shared.db.migrate import migrate

_KNOWN = "SELECT EXISTS (SELECT FROM points.programme WHERE tenant = $1)"


class Rebuildable(StrEnum):
    """The services whose state is a fold of topics."""

    POINTS = "points"
    METRICS = "metrics"
    NOTIFICATIONS = "notifications"


def rebuild(
    service: Annotated[Rebuildable, typer.Argument(help="Whose state is folded anew.")],
    into: Annotated[
        str, typer.Option(help="The schema to make; it must not exist, and does not stay when the rebuild fails.")
    ],
    comparing: Annotated[bool, typer.Option("--compare", help="Compare it with the live schema, row by row.")] = False,
    tenant: Annotated[str | None, typer.Option(help="Compare one tenant only; all of them without it.")] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Drop the new schema at the end.")] = False,
) -> None:
    """Fold the retained topics into an empty schema. Nobody is mailed, nothing is published, the live schema is only
    read."""
    refuse_impossible(into)
    if tenant is not None and not comparing:
        raise OperatorError("Only a comparison can be of one tenant.", "Add --compare, or leave --tenant out.")
    described = Description.required(StackFolder.chosen())
    tables = asyncio.run(
        rebuilt(
            described.database_url,
            described.kafka_bootstrap,
            service.value,
            into,
            comparing=comparing,
            tenant=tenant,
            drop=drop,
        )
    )
    differing = sum(table["differing"] for table in tables)
    lines = Table("table", "rows", "differ", box=None)
    for table in tables:
        lines.add_row(table["table"], f"{table['rows']:,}", f"{table['differing']:,}")
    firsts = [f"  {table['table']}: {row}" for table in tables for row in table["first"]]
    of_whom = f" of the tenant {tenant}" if tenant else ""
    verdict = f"The rebuilt schema equals the live one{of_whom}." if not differing else f"DIFFERENT: {differing} rows."
    show(
        {"service": service.value, "differing": differing, "tables": tables},
        lines,
        *firsts,
        verdict if comparing else "",
    )
    if differing:
        raise typer.Exit(1)


async def rebuilt(
    url: str,
    bootstrap: str,
    service: str,
    schema: str,
    *,
    comparing: bool = True,
    tenant: str | None = None,
    drop: bool = False,
) -> list[dict[str, Any]]:
    """Fold up to where the live service stood at one instant, and compare with what it held there: it goes on."""
    process = import_module(f"services.{service}.bootstrap").PROCESS
    async with administrator(url) as database, new_schema(database, schema, drop=drop):
        if tenant is not None and not await database.fetchval(_KNOWN, tenant):
            raise OperatorError(f"The books know no tenant {tenant!r}.", "`treue tenants list` names them all.")
        await migrate(url, schema, process.migrations)
        frozen = await freeze(database, service, schema, comparing=comparing)
        await _fold(Fold(url, bootstrap, process, frozen), frozen.put_aside)
        await frozen.take_over(database)
        return await compare(database, service, schema, tenant) if comparing else []


async def _fold(fold: Fold, put_aside: int) -> None:
    console = progress()
    if put_aside:
        console.print(f"  {put_aside:,} events wait or were refused: here they are put aside as well", style="dim")
    try:
        await fold.run(lambda line: console.print(f"  {line}", style="dim", highlight=False))
    finally:
        await fold.engine.dispose()
