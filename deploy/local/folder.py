"""Everything that a stack has lies in one folder: remove the folder and the stack never was."""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.problems import OperatorError

PROJECT = Path(__file__).resolve().parents[2]

# The kernel refuses unix socket paths over 107 bytes, and supervisord binds a longer, temporary name first.
_SOCKET_PATH_MAX = 92


def _own_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"treue-{os.getuid()}"


def own_folder(name: str = "") -> Path:
    """A folder below the temporary one for what all stacks of this user share; made when it is not there yet. Anybody
    could have made it first: whoever owns it could steer our processes."""
    folder = _own_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise OperatorError(f"{folder} belongs to somebody else.", "Remove it, or set TMPDIR to another folder.")
    (folder / name).mkdir(mode=0o700, exist_ok=True)
    return folder / name


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Nobody else has this file locked meanwhile; whoever comes second waits."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class StackFolder:
    """The paths of one stack."""

    path: Path

    @classmethod
    def chosen(cls) -> "StackFolder":
        """The folder that TREUE_HOME names, else .treue in the project."""
        return cls(Path(os.environ.get("TREUE_HOME") or PROJECT / ".treue").resolve())

    def create(self) -> None:
        if "%" in str(self.path):
            raise OperatorError(
                f"The supervisor cannot work in {self.path}: it expands %.", "Set TREUE_HOME to another folder."
            )
        for folder in (self.path, self.logs, self.data):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def mails(self) -> Path:
        return self.data / "mails.jsonl"

    @property
    def description(self) -> Path:
        """The file with a fixed shape that scripts read."""
        return self.path / "stack.json"

    @property
    def socket(self) -> Path:
        """Where supervisord listens: in the folder, or below the temporary folder when the path would be too long."""
        inside = self.path / "supervisor.sock"
        if len(os.fsencode(inside)) <= _SOCKET_PATH_MAX:
            return inside
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return _own_folder() / f"{digest}.sock"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One command at a time changes a stack; a second one waits."""
        with locked(self.path / "lock"):
            yield

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def read(self, name: str) -> Any:
        """A remembered JSON file; None when there is none yet."""
        file = self.path / name
        return json.loads(file.read_text()) if file.exists() else None

    def write(self, name: str, value: Any) -> None:
        self.write_text(name, json.dumps(value, indent=2) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Whole or not at all, and readable by the owner alone: most of these files carry secrets."""
        draft = self.path / f".{name}.new"
        draft.touch(mode=0o600)
        draft.write_text(text)
        draft.replace(self.path / name)
