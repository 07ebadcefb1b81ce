"""Reads what the mail sink kept."""

import json
import sys
from typing import Any

from deploy.local.folder import StackFolder
from deploy.local.ports import Ports
from deploy.local.program import SERVER_PRIORITY, Program


def mail_program(folder: StackFolder, ports: Ports) -> Program:
    return Program(
        name="mail",
        command=(sys.executable, "-m", "deploy.local.mail", str(ports["mail"]), str(folder.mails)),
        priority=SERVER_PRIORITY,
        stop_timeout_s=5,
        autostart=True,
    )


def mails(folder: StackFolder) -> list[dict[str, Any]]:
    """All mails, oldest first. A line that a kill tore apart was never acknowledged: its sender sends it again."""
    if not folder.mails.exists():
        return []
    found = []
    for line in folder.mails.read_bytes().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
