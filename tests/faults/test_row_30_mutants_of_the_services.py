"""Row 30, in the services: each mechanism is taken away, and the test that is there for it must go red."""

import asyncio
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from services.notifications.application import claiming
from services.notifications.domain import decision
from services.notifications.domain.decision import Decision
from services.notifications.domain.message import Status
from services.points import bootstrap
from services.points.adapters import orders, wallets
from services.points.domain import returns
from services.points.domain.order import Order
from services.points.domain.programme import Terms
from shared.db.transaction import transaction
from tests.conftest import DatabaseFactory
from tests.integration.deploy import test_rebuild_clock
from tests.integration.notifications import test_consent
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import World
from tests.integration.points import test_posting, test_rivals
from tests.support.eventually import until
from tests.support.points import Books, Shop, opened
from tests.unit.points import test_returns

_CUSTOMERS = [f"c-{number}" for number in range(9)]
_HOLD = "SELECT FROM wallet WHERE tenant = $1 AND customer_id = $2 FOR UPDATE"


async def test_batches_over_the_same_wallets_in_opposite_order_do_not_deadlock(books: Books) -> None:
    """What sorting is there for. A third transaction holds the wallet in the middle until both batches have locked what
    they can; nothing is repeated here: a deadlock is the end."""
    shop = Shop()
    await books.open(shop)
    await books.post(*(shop.bought(f"first-{customer}", 100, customer=customer) for customer in _CUSTOMERS))
    one = [shop.bought(f"a-{customer}", 100, customer=customer) for customer in _CUSTOMERS]
    other = [shop.bought(f"b-{customer}", 100, customer=customer) for customer in reversed(_CUSTOMERS)]
    async with transaction(books.engine) as tx:
        await tx.raw.execute(_HOLD, shop.tenant, _CUSTOMERS[len(_CUSTOMERS) // 2])
        posting = asyncio.gather(books.post(*one), books.post(*other), return_exceptions=True)
        await until(lambda: _waiting_for_locks(books, 2), within_s=10)
    for done in await posting:
        if isinstance(done, BaseException):
            raise done
    (row,) = await books.fetch("SELECT sum(posted) AS posted FROM wallet WHERE tenant = $1", shop.tenant)
    assert row["posted"] == 3 * len(_CUSTOMERS)


async def _waiting_for_locks(books: Books, count: int) -> bool:
    (row,) = await books.fetch(
        "SELECT count(*) AS waiting FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(row["waiting"] == count)


async def test_without_the_sorting_of_accounts_batches_deadlock(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    def as_they_come(rows: Any, key: Any = None) -> list[Any]:
        return list(rows)

    monkeypatch.setattr(wallets, "sorted", as_they_come, raising=False)
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await test_batches_over_the_same_wallets_in_opposite_order_do_not_deadlock(books)


async def test_without_the_lock_of_a_wallet_two_change_it_at_once(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wallets, "_LOCK", wallets._LOCK.replace("FOR UPDATE", ""))
    with pytest.raises(AssertionError):
        await test_rivals.test_a_wallet_is_not_changed_by_two_at_once(books)


async def test_without_the_unique_key_of_orders_a_purchase_and_its_return_miss_each_other(
    database: DatabaseFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(await database("points")) as books:
        await books.tamper("ALTER TABLE purchase_order DROP CONSTRAINT pk_purchase_order CASCADE")
        with pytest.raises(AssertionError):
            await test_rivals.test_a_purchase_and_its_return_that_both_find_no_order(books, monkeypatch)


async def test_without_looking_at_the_order_it_earns_under_every_event_id(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of the order is the second line: it lets no second row in, and the batch goes to the dead letters."""

    async def nothing_known(*_: Any) -> dict[Any, Any]:
        return {}

    monkeypatch.setattr(orders.OrderTables, "lock", nothing_known)
    with pytest.raises(asyncpg.UniqueViolationError):
        await test_posting.test_the_same_order_under_another_event_id_is_rejected(books)


def test_without_the_snapshot_of_the_award_a_later_rule_takes_back_the_wrong_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = returns.points_of

    def by_todays_rule(minor: int, currency: str, _: Decimal, rounding: Any) -> int:
        return real(minor, currency, Decimal(1), rounding)

    monkeypatch.setattr(returns, "points_of", by_todays_rule)
    with pytest.raises(AssertionError):
        test_returns.test_a_return_is_judged_by_the_award_and_not_by_a_later_rule()


async def test_without_the_memory_of_what_was_taken_back_the_parts_take_too_much(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claw(order: Order) -> int:
        return returns.target(order, order.award) if order.award else 0

    monkeypatch.setattr(returns, "_claw", claw)
    with pytest.raises((AssertionError, asyncpg.CheckViolationError)):
        await test_posting.test_returns_add_up_and_too_much_is_rejected_without_effect(books)


async def test_where_the_shops_clock_decides_a_purchase_waits_without_a_delay(
    database: DatabaseFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Terms, "waits", lambda _, activate_at, received_at: activate_at > received_at)
    with pytest.raises(AssertionError):
        await test_rebuild_clock.test_p_37_a_clock_ahead_lets_nobody_wait_unless_the_programme_does(database)


async def test_a_rebuild_that_does_not_do_what_the_clock_did_differs(
    database: DatabaseFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> tuple[int, list[Any]]:
        return 0, []

    monkeypatch.setattr(bootstrap, "ActivateDue", lambda _: nothing)
    with pytest.raises(AssertionError):
        await test_rebuild_clock.test_an_activation_that_is_missing_or_came_too_soon_is_a_difference(database)


async def test_without_the_gate_who_withdrew_is_mailed(
    world: World, box: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision, "withdrawn", lambda *_: False)
    with pytest.raises(AssertionError):
        await test_consent.test_who_withdrew_gets_no_mail_and_the_reason_is_kept(world, box)


async def test_without_asking_again_who_withdrew_meanwhile_is_mailed(
    world: World, box: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "decide", lambda *_: Decision(Status.QUEUED))
    with pytest.raises(AssertionError):
        await test_consent.test_who_withdraws_while_the_mail_is_queued_gets_none(world, box)
