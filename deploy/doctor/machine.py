"""What this machine has: versions, room on the disk and in memory."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.doctor.finding import Finding
from deploy.local.folder import StackFolder
from deploy.local.jars import kafka_jars
from deploy.local.java import find_java
from deploy.local.postgres import postgres_command
from deploy.output import progress
from deploy.problems import OperatorError

_GB = 1024**3
_DISK_MIN = 2 * _GB
_DISK_LOW = 5 * _GB
_MEMORY_LOW = 2 * _GB


def python() -> Finding:
    """The interpreter that runs everything."""
    return Finding("python", "ok", sys.version.split()[0])


def java() -> Finding:
    """What Kafka runs on."""
    return _there("java", lambda: str(find_java()))


def kafka() -> Finding:
    """The jars of the broker."""
    return _there("kafka", lambda: str(kafka_jars(progress())))


def postgres() -> Finding:
    """The server's program."""
    return _there("postgres", lambda: postgres_command()[-1])


def disk() -> Finding:
    """Room for the logs of Kafka and the database."""
    folder = StackFolder.chosen().path
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    return disk_finding(free, folder)


def disk_finding(free: int, folder: Path) -> Finding:
    """So many bytes are free."""
    found = f"{free / _GB:.1f} GB free for {folder}"
    if free < _DISK_LOW:
        step = "Make room, or set TREUE_HOME to a folder on another disk."
        return Finding("disk", "fail" if free < _DISK_MIN else "warn", found, step)
    return Finding("disk", "ok", found)


def memory() -> Finding:
    """What processes may still take."""
    return memory_finding(Path("/proc/meminfo"))


def memory_finding(source: Path) -> Finding:
    """By the kernel's own figures; other systems have no such file."""
    try:
        kilobytes = next(int(line.split()[1]) for line in source.read_text().splitlines() if "MemAvailable" in line)
    except (OSError, StopIteration, ValueError):
        return Finding("memory", "unknown", "This system does not tell how much memory is free.")
    found = f"{kilobytes / 1024**2:.1f} GB free"
    if kilobytes * 1024 < _MEMORY_LOW:
        return Finding("memory", "warn", found, "End other programs, or run fewer workers: treue scale --help")
    return Finding("memory", "ok", found)


def _there(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, "ok", look())
    except OperatorError as problem:
        return Finding(name, "fail", problem.what, problem.next_step)
