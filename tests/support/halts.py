"""What a worker of points says when it stands still, wherever somebody may look."""

from tests.support.asking import rows
from tests.support.platform import Platform
from tests.support.workers import WORKER


def said_everywhere(platform: Platform) -> tuple[str, ...]:
    """What the table of positions, /readyz, `treue status` and the log say about a worker that stands still."""
    (row,) = rows(platform, "SELECT coalesce(string_agg(halted, ' '), '') AS why FROM points.consumer_offset")
    (line,) = (each for each in platform.treue("status")["processes"] if each["name"] == WORKER)
    said = "" if line["ready"] else line["note"]
    return row["why"], consumers_problem(platform, WORKER), said, _halts_logged(platform)


def consumers_problem(platform: Platform, worker: str) -> str:
    """What its /readyz says of its consumer; nothing, as long as it does not answer."""
    try:
        return str(platform.health(worker).get("not_ready", {}).get("consumer", ""))
    except OSError:
        return ""


def _halts_logged(platform: Platform) -> str:
    lines = platform.stack.folder.log(WORKER).read_text().splitlines()
    return "".join(line for line in lines if '"partition_halted"' in line)
