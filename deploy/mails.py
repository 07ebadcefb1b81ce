"""`treue mails`."""

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from deploy.local.folder import StackFolder
from deploy.local.mailbox import mails as kept_mails
from deploy.output import show


def mails(
    raw: Annotated[
        bool, typer.Option("--raw", help="Each mail's whole source, as the mail server was given it.")
    ] = False,
) -> None:
    """The mails that the local mail sink was given, oldest first."""
    found = kept_mails(StackFolder.chosen())
    if not found:
        show(found, "No mail yet.")
    elif raw:
        show(found, *(_source(mail) for mail in found))
    else:
        show(found, _table(found))


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table("received", "to", "subject", "text", box=None)
    for mail in found:
        text = " ".join((mail["text"] or "").split())
        table.add_row(mail["received_at"][:19], ", ".join(mail["to"]), mail["subject"], text[:80])
    return table


def _source(mail: dict[str, Any]) -> Text:
    """Under a line that tells it from the next; a folder of an earlier release kept none."""
    return Text(
        f"--- {mail['received_at'][:19]} to {', '.join(mail['to'])}\n{mail.get('raw', 'Its source was not kept.')}"
    )
