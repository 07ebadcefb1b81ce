"""`treue chaos`: a stack of its own, shoppers on it, every fault in random order, and the judge."""

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import SubprocessError
from typing import Annotated

import asyncpg
import typer
from rich.console import Console

from deploy.chaos.faults import FAULTS
from deploy.chaos.judge import Court, DriftError
from deploy.chaos.load import Load, Memory, NotAcknowledgedError
from deploy.chaos.quarrels import Quarrels
from deploy.chaos.rebalances import Rebalances
from deploy.chaos.report import Endured, Run
from deploy.chaos.victim import Victim
from deploy.gateway import Gateway
from deploy.local.folder import StackFolder
from deploy.local.stack import LocalStack
from deploy.output import progress, show
from deploy.problems import OperatorError
from deploy.rebuild.command import Rebuildable
from deploy.up import bring_up, wait_until_ready
from shared.ids import new_id

_JUDGED_WITHIN_S = 300.0


def chaos(
    minutes: Annotated[float, typer.Option(help="How long the faults go on.")] = 30.0,
    seed: Annotated[int | None, typer.Option(help="Repeats the choices of an earlier run.")] = None,
    shoppers: Annotated[int, typer.Option(help="How many buy at the same time.")] = 4,
    report: Annotated[Path | None, typer.Option(help="Also write the report here, as Markdown.")] = None,
) -> None:
    """Break everything in random order under load, on a stack of its own; exit 1 when anything is lost or doubled, or
    when the platform does not come back."""
    chosen = new_id().int % 1_000_000 if seed is None else seed
    run = _run(minutes, chosen, shoppers)
    if report is not None:
        report.write_text(run.markdown() + "\n")
    found = {"seed": chosen, "faults": run.faults, "events": run.memory.sent, "drift": run.drift}
    show(found, run.markdown())
    if run.drift is not None:
        raise typer.Exit(1)


def _run(minutes: float, seed: int, shoppers: int) -> Run:
    console, folder = progress(), Path(tempfile.mkdtemp(prefix="treue-chaos-"))
    console.print(f"Seed {seed}, in {folder}")
    stack = LocalStack(StackFolder(folder), console, preferred={})
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        bring_up(stack, console, owner=os.getpid())
        run = _break(stack, minutes, seed, shoppers, console)
    finally:
        stack.stop()
    if run.drift is None:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        console.print(f"What is left of it lies in {folder}.")
    return run


def _interrupt(*_: object) -> None:
    """A run that is asked to end takes its stack along."""
    raise KeyboardInterrupt


def _break(stack: LocalStack, minutes: float, seed: int, shoppers: int, console: Console) -> Run:
    court, other_court = (_court(stack, f"{what}-{seed}") for what in ("chaos", "quarrels"))
    load = Load(court.base_url, court.api_key, seed=seed, shoppers=shoppers, other_bodies=True)
    rebalances = Rebalances(stack.addresses.database)
    quarrels = Quarrels(other_court)
    endured: list[Endured] = []
    outage: str | None = None
    end = time.monotonic() + minutes * 60
    try:
        outage = _broken_off(lambda: _faults(stack, end, seed, load, console, endured))
    finally:
        pauses_s = rebalances.finish()
        ends = [_broken_off(load.finish), _broken_off(quarrels.finish)]
        outage = next(filter(None, ends), outage)
    memory = load.memory
    console.print(f"{len(endured)} faults, {memory.sent} events; the judge counts")
    # A shopper who gave up left an order half done: what then must be in the books, nobody knows.
    drift = f"OUTAGE, not judged: {outage}" if outage else _drift(court, memory, quarrels, console)
    return Run(seed, minutes, endured, memory, len(quarrels.over), pauses_s, drift)


def _court(stack: LocalStack, name: str) -> Court:
    wanted = {"name": name, "currency": "EUR", "time_zone": "Europe/Berlin"}
    made = Gateway.of(stack).call("POST", "/v1/tenants", wanted)
    at = stack.addresses
    return Court.opened(at.api("gateway"), at.database, at.kafka, made["tenant"], made["api_key"])


def _broken_off(work: Callable[[], object]) -> str | None:
    """Why it could not go on to its end: the platform did not come back, or a shopper's patience ran out."""
    try:
        work()
    except (NotAcknowledgedError, OperatorError, OSError, SubprocessError, asyncpg.PostgresError) as error:
        return f"{error} ({error.__cause__})" if error.__cause__ else str(error)
    return None


def _drift(court: Court, memory: Memory, quarrels: Quarrels, console: Console) -> str | None:
    try:
        quarrels.judge(_JUDGED_WITHIN_S)
        court.judge(memory, within_s=_JUDGED_WITHIN_S)
        for service in Rebuildable:
            console.print(f"{service.value}, rebuilt from the topics and compared")
            court.replay(service.value)
    except (DriftError, OperatorError) as error:
        return str(error)
    return None


def _faults(stack: LocalStack, end: float, seed: int, load: Load, console: Console, endured: list[Endured]) -> None:
    """Each fault once in a random order, then in another one, until the time is over."""
    victim = Victim(stack, random.Random(seed))  # noqa: S311 - to be repeated
    begun = time.monotonic()
    while True:
        for name in victim.dice.sample(sorted(FAULTS), len(FAULTS)):
            if time.monotonic() > end:
                return
            sent = load.memory.sent
            FAULTS[name](victim)
            over = time.monotonic()
            wait_until_ready(stack)
            ready_after_s = time.monotonic() - over
            load.progressed(5)
            endured.append(Endured(name, ready_after_s, load.memory.slowest_answer_since_s()))
            console.print(
                f"{over - begun:6.0f} s  {name}: {load.memory.sent - sent} events meanwhile, ready after"
                f" {ready_after_s:.1f} s, slowest answer {endured[-1].slowest_answer_s:.1f} s",
                highlight=False,
                soft_wrap=True,
            )
            time.sleep(victim.dice.random() * 2)
