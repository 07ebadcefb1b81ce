"""`treue keys`."""

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.output import show
from deploy.tenants import gateway

app = typer.Typer(help="API keys of the tenants.", no_args_is_help=True)


class Mode(StrEnum):
    LIVE = "live"
    TEST = "test"


@app.command()
def create(
    tenant: Annotated[str, typer.Option(help="Whose key.")],
    scopes: Annotated[str, typer.Option(help="What it may do, separated by commas: events:write,metrics:read")],
    mode: Annotated[Mode, typer.Option(help="The word in the key that tells keys of tests apart.")] = Mode.LIVE,
) -> None:
    """Make a key. It is shown only now."""
    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    made = gateway().call("POST", "/v1/keys", {"tenant": tenant, "scopes": wanted, "mode": mode.value})
    show(made, f"Key {made['id']}, shown only now:", f"  {made['api_key']}")


@app.command("list")
def list_(tenant: Annotated[str, typer.Option(help="Whose keys.")]) -> None:
    """A tenant's keys, without their secrets."""
    keys = gateway().everything("/v1/keys", tenant=tenant)
    show(keys, _table(keys))


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The id that `create` and `list` show.")]) -> None:
    """Make a key useless, within seconds."""
    gateway().call("DELETE", f"/v1/keys/{key_id}")
    show({"id": key_id, "revoked": True}, f"Key {key_id} is revoked.")


def _table(keys: list[dict[str, Any]]) -> Table:
    columns = ("id", "mode", "scopes", "created_at", "revoked_at")
    table = Table(*columns, box=None)
    for key in keys:
        scopes = ", ".join(key.get("scopes") or ())
        table.add_row(*(scopes if column == "scopes" else str(key.get(column) or "") for column in columns))
    return table
