"""What falls due by the clock is the same in a rebuilt schema, at whatever instant it is compared."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from deploy.rebuild.folded import folded, selected
from services.points.adapters.wallets import WalletTables
from services.points.application.activation import ActivateDue
from services.points.bootstrap import PROCESS
from shared.db.transaction import transaction
from shared.messaging.incoming import Incoming
from tests.conftest import DatabaseFactory
from tests.support.points import NOON, Books, Shop, opened

_COMPARED = ("entry", "wallet", "lot", "allocation")
_HOUR = timedelta(hours=1)


@asynccontextmanager
async def _live_and_rebuilt(database: DatabaseFactory, shop: Shop, **terms: Any) -> AsyncIterator[tuple[Books, Books]]:
    async with opened(await database("points")) as live, opened(await database("points")) as rebuilt:
        for books in (live, rebuilt):
            await books.open(shop, effective_from=NOON - timedelta(days=9), **terms)
        yield live, rebuilt


async def _turn_of_the_clock(books: Books, until: datetime) -> None:
    """As the worker takes it, at that instant."""
    async with transaction(books.engine) as tx:
        await ActivateDue(WalletTables())(tx, until)


async def _state(books: Books, at: datetime | None = None) -> dict[str, list[str]]:
    selections = {name: selected(folded("points")[name], "points", at) for name in _COMPARED}
    return {
        name: sorted(str(row) for row in await books.fetch(f"SELECT {columns}")) for name, columns in selections.items()
    }


async def _rebuild(rebuilt: Books, log: Sequence[Incoming], at: datetime) -> None:
    if log:
        await rebuilt.post(*log)
    assert PROCESS.run_clock is not None
    await PROCESS.run_clock(rebuilt.engine, at)


def _log(shop: Shop, dice: random.Random) -> list[Incoming]:
    """Half a day of purchases by clocks that are ahead or behind, late ones too, and what came back of them; some of it
    is received out of turn."""
    events: list[Incoming] = []
    for number in range(8):
        received = NOON + number * _HOUR
        behind = dice.choice((timedelta(minutes=-4), timedelta(0), timedelta(hours=20), timedelta(days=3)))
        total = dice.randrange(100, 9000)
        events.append(shop.bought(f"o-{number}", total, at=received - behind, taken_in_at=received))
        if dice.random() < 0.6:
            back = dice.choice((total, dice.randrange(1, total + 1)))
            again = received + dice.randrange(30) * _HOUR
            events.append(shop.returned(f"o-{number}", back, at=again, taken_in_at=again))
    return sorted(events, key=lambda each: each.envelope.time)


@pytest.mark.parametrize("days", [0, 1])
@pytest.mark.parametrize("seed", range(4))
async def test_p_37_a_rebuild_at_any_instant_equals_the_live_tables(
    database: DatabaseFactory, seed: int, days: int
) -> None:
    """The worker turns the clock late, early for what is still on its way to it, or not at all."""
    dice, shop = random.Random(f"{seed}/{days}"), Shop()
    log = _log(shop, dice)
    at = NOON + dice.randrange(40 * 60) * timedelta(minutes=1)
    seen = [event for event in log if event.envelope.time <= at]
    async with _live_and_rebuilt(database, shop, activation_delay_days=days) as (live, rebuilt):
        for event in seen:
            if dice.random() < 0.5:
                lead = dice.choice((timedelta(0), 2 * _HOUR))
                await _turn_of_the_clock(live, min(event.envelope.time + lead, at))
            await live.post(event)
        await _rebuild(rebuilt, seen, at)
        assert await _state(rebuilt) == await _state(live, at)
        assert await live.drift() == await rebuilt.drift() == {}


async def test_p_37_a_clock_ahead_lets_nobody_wait_unless_the_programme_does(database: DatabaseFactory) -> None:
    """Before and after the instant that the shop's clock says."""
    shop, ahead = Shop(), NOON + timedelta(minutes=4)
    async with _live_and_rebuilt(database, shop) as (live, rebuilt):
        event = shop.bought("o-1", at=ahead, taken_in_at=NOON)
        await live.post(event)
        wallet = await live.balance(shop)
        assert (wallet.posted, wallet.pending) == (49, 0)
        for at in (NOON, ahead + _HOUR):
            await _turn_of_the_clock(live, at)
            await _rebuild(rebuilt, [event] if at == NOON else [], at)
            assert await _state(rebuilt) == await _state(live, at)
        assert [entry["kind"] for entry in await live.entries(shop)] == ["earned"]

    shop = replace(shop, tenant=f"{shop.tenant}-delayed")
    async with _live_and_rebuilt(database, shop, activation_delay_days=1) as (live, _):
        await live.post(shop.bought("o-1", at=ahead, taken_in_at=NOON))
        due = ahead + timedelta(days=1)
        await _turn_of_the_clock(live, due - timedelta(seconds=1))
        assert (await live.entries(shop))[-1]["kind"] == "earned"
        await _turn_of_the_clock(live, due)
        assert (await live.entries(shop))[-1]["kind"] == "activated"


async def test_an_activation_that_is_missing_or_came_too_soon_is_a_difference(database: DatabaseFactory) -> None:
    shop, at = Shop(), NOON + timedelta(days=2)
    async with _live_and_rebuilt(database, shop, activation_delay_days=1) as (live, rebuilt):
        events = [shop.bought("o-1"), shop.bought("o-2", at=NOON + timedelta(days=9))]
        await live.post(*events)
        await _turn_of_the_clock(live, at)
        await _rebuild(rebuilt, events, at)
        assert await _state(rebuilt) == await _state(live, at)
        await live.tamper("DELETE FROM entry WHERE kind = 'activated'")
        await live.tamper("UPDATE wallet SET posted = posted + 49, pending = pending - 49")
        await live.tamper("UPDATE lot SET activated = true")
        found, wanted = await _state(live, at), await _state(rebuilt)
        assert [name for name in _COMPARED if found[name] != wanted[name]] == ["entry", "wallet", "lot"]


async def test_what_an_older_release_let_wait_for_a_shops_clock_is_no_difference(database: DatabaseFactory) -> None:
    """It wrote the lot as pending, and its activation by the clock."""
    shop, ahead = Shop(), NOON + timedelta(minutes=4)
    async with _live_and_rebuilt(database, shop) as (live, rebuilt):
        event = shop.bought("o-1", at=ahead, taken_in_at=NOON)
        await live.post(event)
        await live.tamper("UPDATE lot SET activated = false")
        await live.tamper("UPDATE wallet SET pending = posted, posted = 0, next_activation_at = $1", ahead)
        await _rebuild(rebuilt, [event], NOON)
        assert await _state(rebuilt) == await _state(live, NOON)
        await _turn_of_the_clock(live, ahead)
        assert (await live.entries(shop))[-1]["kind"] == "activated"
        assert await _state(rebuilt) == await _state(live, ahead)
