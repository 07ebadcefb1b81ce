"""Every fault by its name. Each ends when the stack has what it had before, if not yet ready."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy.engine import make_url

from deploy.chaos import positions, records, release
from deploy.chaos.lost_replies import losing_replies
from deploy.chaos.victim import Victim
from deploy.environment import SERVICES
from deploy.local.service_environment import service_environment
from deploy.problems import OperatorError

WORKERS: Final = tuple(f"{service}-worker" for service in SERVICES)
APIS: Final = ("gateway", *(f"{service}-api" for service in SERVICES if service != "gateway"))
FAILPOINTS: Final = (
    *("consume_after_read", "progress_before_commit", "progress_after_commit"),
    *("post_after_lock", "post_after_inbox", "post_after_effects", "post_before_commit", "post_after_commit"),
    *("relay_before_send", "relay_after_send", "relay_before_commit"),
)
_LOST_MIN: Final = 5
_LOSING_MAX_S: Final = 60.0


def _three_workers(victim: Victim) -> None:
    """Two more join; members die and leave; one is left."""
    victim.scale(3)
    members = ("points-worker", "points-worker-2", "points-worker-3")
    for _ in range(4):
        time.sleep(2 * victim.dice.random())
        member = victim.dice.choice(members)
        with contextlib.suppress(OperatorError):  # it is being started anew just now
            if victim.dice.random() < 0.5:
                victim.end(member, signal.SIGKILL)
            else:
                victim.restart(member)
    victim.scale(1)


def _lose_replies_to_commit(victim: Victim) -> None:
    """The only worker of points works behind a proxy, until some batches were committed and it never heard."""
    asyncio.run(_losing(victim))


async def _losing(victim: Victim) -> None:
    url = make_url(service_environment("points", victim.stack.addresses)["POINTS_DATABASE_URL"])
    async with losing_replies(str(url.host), int(url.port or 5432), "treue-points-batches", every=4) as proxy:
        through = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        with victim.without("points-worker"), victim.another_worker(POINTS_DATABASE_URL=through):
            proxy.losing = True
            deadline = time.monotonic() + _LOSING_MAX_S
            while proxy.lost < _LOST_MIN:
                if time.monotonic() > deadline:
                    raise OperatorError(f"{proxy.lost} replies lost in {_LOSING_MAX_S:.0f} s.", "Nothing is posted.")
                await asyncio.sleep(0.1)


FAULTS: Final[dict[str, Callable[[Victim], None]]] = {
    "kill -9 an api": lambda v: v.end(v.dice.choice(APIS), signal.SIGKILL),
    "kill -9 a worker": lambda v: v.end(v.dice.choice(WORKERS), signal.SIGKILL),
    "kill -9 Kafka": lambda v: v.end("kafka", signal.SIGKILL),
    "kill -9 Postgres": lambda v: v.end("postgres", signal.SIGKILL),
    "kill -9 the mail server": lambda v: v.end("mail", signal.SIGKILL),
    "SIGTERM an api": lambda v: v.restart(v.dice.choice(APIS)),
    "SIGTERM a worker": lambda v: v.restart(v.dice.choice(WORKERS)),
    "restart Kafka": lambda v: v.restart("kafka"),
    "restart Postgres, fast": lambda v: v.restart("postgres"),
    "restart Postgres, immediate": lambda v: v.end("postgres", signal.SIGQUIT),
    "Postgres away": lambda v: v.restart("postgres", away_s=v.dice.uniform(3, 20)),
    "Kafka away": lambda v: v.restart("kafka", away_s=v.dice.uniform(3, 20)),
    "freeze Kafka": lambda v: v.freeze("kafka", v.dice.uniform(1, 15)),
    "freeze Postgres": lambda v: v.freeze("postgres", v.dice.uniform(1, 15)),
    "freeze a worker": lambda v: v.freeze(v.dice.choice(WORKERS), v.dice.uniform(1, 12)),
    "freeze an api": lambda v: v.freeze(v.dice.choice(APIS), v.dice.uniform(1, 8)),
    "break all sessions": lambda v: v.break_sessions(v.dice.randrange(5, 30)),
    "die at a failpoint": lambda v: v.die_at(v.dice.choice(FAILPOINTS)),
    "lose replies to COMMIT": _lose_replies_to_commit,
    "three workers of points come and go": _three_workers,
    "known events on every partition": records.copied,
    "poison on the topic": records.poisoned,
    "a release that cannot post, and its fix": release.broken,
    "positions lost": positions.lost,
    "positions moved by hand and put back": positions.moved,
    "positions of another cluster and put back": positions.of_another_cluster,
}
