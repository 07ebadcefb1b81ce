"""Ports that a stack has chosen and does not listen at yet: another that starts in the same seconds finds them free.

A claim is a locked file, one a port, that names the stack. The kernel lets go of it when the process that claimed ends,
however it ends; if all went well the stack listens there by then.
"""

import fcntl
import os
from pathlib import Path

from deploy.local.folder import StackFolder, locked, own_folder


class Claims:
    """The claims of one stack; they end with this process."""

    def __init__(self, folder: StackFolder) -> None:
        self._stack = str(folder.path)
        self._held: set[int] = set()

    def claim(self, port: int) -> bool:
        """Whether the port is this stack's now; not when another one has claimed it."""
        if port in self._held:
            return True
        files = own_folder("ports")
        with locked(files / "lock"):
            return self._claim(port, files / str(port))

    def _claim(self, port: int, path: Path) -> bool:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return path.read_text() == self._stack  # another command on the same stack, or the run that started it
        path.write_text(self._stack)
        self._held.add(port)  # the file stays open, and so locked
        return True
