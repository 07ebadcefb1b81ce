"""`treue tenants`."""

from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.gateway import Gateway
from deploy.local.stack import LocalStack
from deploy.output import progress, show

app = typer.Typer(help="The merchants' programmes on this platform.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code of its purchases.")],
    time_zone: Annotated[str, typer.Option(help="IANA name: where its days begin.")] = "Europe/Berlin",
    locale: Annotated[str | None, typer.Option(help="BCP 47 tag of its messages where the customer has none.")] = None,
    display_name: Annotated[str | None, typer.Option(help="What customers call it; its name, without one.")] = None,
    points_per_unit: Annotated[str | None, typer.Option(help="Points for one unit of the currency.")] = None,
) -> None:
    """Make a tenant. Returns when every service knows it; shows its first API key, once."""
    asked = {"name": name, "currency": currency, "time_zone": time_zone}
    chosen = {"locale": locale, "display_name": display_name, "points_per_unit": points_per_unit}
    asked |= {key: value for key, value in chosen.items() if value}
    made = gateway().call("POST", "/v1/tenants", asked)
    show(made, f"Tenant {made['tenant']}. Its API key, shown only now:", f"  {made['api_key']}")


@app.command("list")
def list_() -> None:
    """All tenants."""
    tenants = gateway().everything("/v1/tenants")
    show(tenants, _table(tenants))


@app.command()
def limit(
    name: Annotated[str, typer.Argument(help="Which tenant.")],
    events_per_s: Annotated[
        int | None, typer.Option(min=1, help="Over all its keys; without it, what the installation allows all.")
    ] = None,
) -> None:
    """Let a tenant bring more or fewer events a second than others, through each gateway."""
    shown = gateway().call("PUT", f"/v1/tenants/{name}/limit", {"events_per_s": events_per_s})
    now = "what the installation allows all" if events_per_s is None else f"{events_per_s} events a second"
    show(shown, f"Tenant {name} may bring {now}.")


def _table(tenants: list[dict[str, Any]]) -> Table:
    columns = ("tenant", "display_name", "currency", "time_zone", "created_at", "events_per_s")
    table = Table(*columns, box=None)
    for one in tenants:
        table.add_row(*(str(one.get(column) or "") for column in columns))
    return table


def gateway() -> Gateway:
    return Gateway.of(LocalStack.existing(progress()))
