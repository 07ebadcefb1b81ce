"""`treue mails`."""

from rich.table import Table

from deploy.local.folder import StackFolder
from deploy.local.mailbox import mails as kept_mails
from deploy.output import show


def mails() -> None:
    """The mails that the local mail sink was given, oldest first."""
    found = kept_mails(StackFolder.chosen())
    table = Table("received", "to", "subject", "text", box=None)
    for mail in found:
        text = " ".join((mail["text"] or "").split())
        table.add_row(mail["received_at"][:19], ", ".join(mail["to"]), mail["subject"], text[:80])
    show(found, table if found else "No mail yet.")
