"""Log lines: one JSON object each, whoever speaks, and no secrets."""

import json
import subprocess
import sys
import textwrap
from typing import Any


def lines_of(program: str) -> list[dict[str, Any]]:
    """What a process of its own logs: logging is global, so that a test must not configure it here."""
    start = "from shared.observability.logging import configure_logging, get_logger\n"
    start += "configure_logging('points', 'worker', 'info')\nlog = get_logger('a.room')\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", start + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_fact_with_who_and_what_about() -> None:
    (line,) = lines_of("""
        from shared.observability.context import about
        with about(correlation_id="c-1", tenant="demo", event_id="e-1"):
            log.info("outbox_batch_published", records=3)
    """)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "outbox_batch_published", "records": 3, "level": "info", "logger": "a.room", "service": "points",
        "role": "worker", "correlation_id": "c-1", "tenant": "demo", "event_id": "e-1",
    }  # fmt: skip


def test_outside_nothing_is_said_of_what_it_was_about() -> None:
    (line,) = lines_of("""
        from shared.observability.context import about
        with about(tenant="demo"):
            pass
        log.info("done")
    """)
    assert "tenant" not in line
    assert "correlation_id" not in line


def test_libraries_speak_the_same_form() -> None:
    first, second, third = lines_of("""
        import logging, warnings
        logging.getLogger("aiokafka.consumer").warning("heartbeat failed for %s", "group-1")
        logging.getLogger("uvicorn.error").error("broken")
        warnings.simplefilter("always")
        warnings.warn("old")
        logging.getLogger("aiokafka.consumer").info("every poll")
        log.debug("too fine")
    """)
    assert (first["event"], first["logger"], first["service"]) == (
        "heartbeat failed for group-1",
        "aiokafka.consumer",
        "points",
    )
    assert second["level"] == "error"
    assert "old" in third["event"]


def test_a_traceback_stands_in_one_line_and_shows_no_variables() -> None:
    (line,) = lines_of("""
        def fail(customer):
            raise RuntimeError("no such row")
        try:
            fail("a very private name")
        except RuntimeError:
            log.exception("posting_failed")
    """)
    assert "no such row" in line["exception"]
    assert "Traceback" in line["exception"]
    assert line["exception"].count("very private") <= 1  # the source line, not the variable


def test_what_looks_like_a_secret_is_struck_out() -> None:
    secrets = {
        "mail": "to ada.l+x@mail.example.org now",
        "key": "treue_live_abc123_SECRETsecret42",
        "token": "Bearer eyJhbGciOiJFZERTQSJ9.eyJ0ZW5hbnQiOiJkZW1vIn0.c2lnbmF0dXJl",
        "url": "postgresql://points:hunter2@db/points",
        "row": "duplicate key\nDETAIL:  Key (name)=(Ada Lovelace) already exists.",
    }
    (line,) = lines_of(f"log.warning('refused', **{secrets!r})")
    text = json.dumps(line)
    for hidden in ("example.org", "SECRET", "c2lnbmF0", "eyJ", "hunter2", "Lovelace"):
        assert hidden not in text
    assert "duplicate key" in line["row"]
    assert "@db/points" in line["url"]


def test_a_value_that_is_no_json_does_not_break_the_line() -> None:
    (line,) = lines_of("""
        from uuid import UUID
        log.info("fact", id=UUID(int=1), raw=b"x", strange="\\ud800")
    """)
    assert line["id"] == "00000000-0000-0000-0000-000000000001"
