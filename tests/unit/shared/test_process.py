"""A process ends in order when asked, and at once when it is broken."""

import asyncio
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from shared.process import run_together

START = """
import asyncio
from shared.observability.logging import configure_logging
from shared.process import run_process, run_together
configure_logging("points", "worker", "info")
async def until(stop):
    print("turning", flush=True)
    await stop.wait()
    await asyncio.sleep(0.1)
    print("finished", flush=True)
"""


def process(program: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", START + textwrap.dedent(program)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(number: signal.Signals) -> None:
    running = process("run_process(lambda stop: run_together(stop, until(stop), until(stop)))")
    assert running.stdout is not None
    assert running.stdout.readline() == "turning\n"
    running.send_signal(number)
    out, err = running.communicate(timeout=10)
    assert (running.returncode, out.count("finished")) == (0, 2)
    assert err == ""


@pytest.mark.parametrize(
    "death", ["raise ConnectionError('no broker')", "return"], ids=["one task raises", "one task ends before its time"]
)
def test_one_dead_task_ends_the_process_for_its_supervisor(death: str) -> None:
    running = process(f"""
        async def dies():
            await asyncio.sleep(0.1)
            {death}
        run_process(lambda stop: run_together(stop, until(stop), dies()))
    """)
    start = time.monotonic()
    out, err = running.communicate(timeout=10)
    assert running.returncode == 1
    assert "finished" not in out
    assert "process_failed" in err
    assert "dies" in err
    assert time.monotonic() - start < 8


async def test_tasks_that_were_asked_to_end_may_end() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, stop.set)

    async def task() -> None:
        await stop.wait()

    await run_together(stop, task(), task())
