"""A part of a core for a process, by Linux control groups: so a machine with two cores shows how work divides that many
machines would share."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from shared.ids import new_id

_ROOT = Path("/sys/fs/cgroup")
_PERIOD_US = 10_000  # short, so that a worker that has used its part is back soon


class Quota:
    """A group of its own for each process that joins."""

    def __init__(self, cores: float) -> None:
        self._cores = cores
        self._made: list[Path] = []

    def hold(self, pid: int) -> None:
        """Have this process, with all its threads, no more than its part from now on."""
        folder = _parent() / f"treue-{new_id().hex}"
        folder.mkdir()
        self._made.append(folder)
        allowed = round(self._cores * _PERIOD_US)
        if (folder / "cpu.max").exists():
            (folder / "cpu.max").write_text(f"{allowed} {_PERIOD_US}")
        else:
            (folder / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (folder / "cpu.cfs_quota_us").write_text(str(allowed))
        (folder / "cgroup.procs").write_text(str(pid))

    def release(self) -> None:
        """When the processes have ended."""
        for folder in self._made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def available() -> bool:
    """Whether we may make control groups here."""
    try:
        probe = _parent() / f"treue-{new_id().hex}"
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def quota(cores: float) -> Iterator[Quota]:
    """Parts of this size."""
    held = Quota(cores)
    try:
        yield held
    finally:
        held.release()


def _parent() -> Path:
    """Version 1 has a folder for each controller; version 2 has one for all."""
    return _ROOT / "cpu" if (_ROOT / "cpu").is_dir() else _ROOT
