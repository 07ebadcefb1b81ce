"""The end of a log file, without reading all of it."""

from pathlib import Path

_BYTES_MAX = 1_000_000


def last_lines(file: Path, count: int) -> list[str]:
    if not count or not file.exists():
        return []
    with file.open("rb") as log:
        log.seek(max(0, file.stat().st_size - _BYTES_MAX))
        return log.read().decode(errors="replace").splitlines()[-count:]


def last_line(file: Path) -> str:
    return next(iter(last_lines(file, 1)), "")
