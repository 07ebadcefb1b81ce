"""Two transactions at a time: orders and wallets are where they meet, whatever partition brings them."""

import asyncio
import random
from collections.abc import Collection, Sequence
from itertools import count

import asyncpg
import pytest

from services.points.adapters.months import ensure_months
from services.points.adapters.orders import OrderTables
from services.points.application.ports import OrderKey
from services.points.domain.order import Order
from shared.clock import SystemClock
from shared.db.transaction import Transaction, transaction
from shared.messaging.failures import Verdict, verdict
from tests.support.points import APPLICATION, Books, Shop


async def post_stubbornly(books: Books, *events: object) -> None:
    """As a lane does it: again, when another transaction came in between."""
    for _ in range(20):
        try:
            await books.post(*events)  # type: ignore[arg-type]
        except Exception as error:
            if verdict(error) is not Verdict.REPEAT:
                raise
        else:
            return
    pytest.fail("twenty rivals in a row")


async def post_at_once(books: Books, *batches: Sequence[object]) -> None:
    """Over when all of them are, also where one of them fails: a mutant takes the database away next."""
    done = await asyncio.gather(*(post_stubbornly(books, *batch) for batch in batches), return_exceptions=True)
    for each in done:
        if isinstance(each, BaseException):
            raise each


async def test_a_purchase_and_its_return_on_two_partitions_at_once(books: Books) -> None:
    shop = Shop()
    await books.open(shop)
    for number in range(30):
        order = f"o-{number}"
        both = [shop.bought(order, 8000), shop.returned(order, 3000, customer=None)]
        random.Random(number).shuffle(both)
        await post_at_once(books, *([event] for event in both))
        assert (await books.balance(shop)).posted == 50 * (number + 1)
    assert await books.drift(shop) == {}


async def test_a_purchase_and_its_return_that_both_find_no_order(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have looked before either writes: the key of the order makes one of them look again."""
    shop, both_looked, looks, real = Shop(), asyncio.Barrier(2), count(), OrderTables.lock
    await books.open(shop)

    async def lock(self: OrderTables, tx: Transaction, keys: Collection[OrderKey]) -> dict[OrderKey, Order]:
        found = await real(self, tx, keys)
        if next(looks) < both_looked.parties:
            assert found == {}
            await asyncio.wait_for(both_looked.wait(), 10)
        return found

    monkeypatch.setattr(OrderTables, "lock", lock)
    both = [shop.bought("o-1", 8000), shop.returned("o-1", 3000, customer=None)]
    await post_at_once(books, *([event] for event in both))
    assert (await books.balance(shop)).posted == 50
    assert await books.drift(shop) == {}


async def test_many_batches_over_the_same_customers_and_orders_neither_deadlock_nor_drift(books: Books) -> None:
    shop, chance = Shop(), random.Random(7)
    await books.open(shop)
    bought = [shop.bought(f"o-{n}", 1000 + n, customer=f"c-{n % 9}") for n in range(200)]
    backs = [shop.returned(f"o-{n}", 500, customer=None, name=f"r-{n}") for n in range(0, 200, 2)]
    profiles = [shop.profile(f"c-{n}") for n in range(9)]
    feedback = [shop.feedback(f"c-{n % 12}", name=f"f-{n}") for n in range(60)]
    log = [*bought, *backs, *profiles, *feedback]
    chance.shuffle(log)
    await post_at_once(books, *(log[start::6] for start in range(6)))
    assert await books.drift(shop) == {}
    (row,) = await books.fetch(
        "SELECT sum(posted) AS posted, sum(debt) AS debt FROM wallet WHERE tenant = $1", shop.tenant
    )
    wanted = sum((1000 + n - (0 if n % 2 else 500)) // 100 for n in range(200))
    assert (row["posted"], row["debt"]) == (wanted, 0)


async def test_a_wallet_is_not_changed_by_two_at_once(books: Books) -> None:
    """The second transaction waits for the first one's wallet row, and sees what that did."""
    shop = Shop()
    await books.open(shop)
    await books.post(shop.bought("o-0", 100))
    async with transaction(books.engine) as first:
        await APPLICATION.apply(first, [shop.bought("o-1", 1000)])
        rival = asyncio.create_task(books.post(shop.bought("o-2", 2000)))
        await asyncio.sleep(0.2)
        assert not rival.done()
    await rival
    assert (await books.balance(shop)).posted == 31
    assert [entry["wallet_version"] for entry in await books.entries(shop)] == [1, 2, 3]


async def test_the_ledger_cannot_be_rewritten_by_the_role_that_writes_it(books: Books) -> None:
    forbidden = (
        "UPDATE entry SET points = 1", "DELETE FROM entry", "TRUNCATE entry", "UPDATE allocation SET points = 1",
        "DELETE FROM lot", "UPDATE lot SET amount = 1", "UPDATE programme SET version = 2", "DELETE FROM wallet",
        "DELETE FROM purchase_order", "UPDATE order_return SET minor = 1", "UPDATE inbox SET outcome = 'applied'",
        "DELETE FROM inbox", "UPDATE entry_rest SET points = 1", "DROP TABLE entry",
    )  # fmt: skip
    for statement in forbidden:
        async with transaction(books.engine) as tx:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await tx.raw.execute(statement)
            await tx.raw.execute("ROLLBACK")


async def test_the_database_itself_refuses_a_negative_balance(books: Books) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(shop.bought("o-1"))
    for change in ("posted = -1", "held = 50", "pending = -1", "debt = -1", "debt = 1"):
        with pytest.raises(asyncpg.CheckViolationError):
            await books.tamper(f"UPDATE wallet SET {change} WHERE tenant = $1", shop.tenant)


async def test_entries_lie_in_their_month_which_nobody_writes_past_the_ledger(books: Books) -> None:
    shop, now = Shop(), SystemClock().now()
    await books.open(shop)
    await books.post(shop.bought("now", at=now, taken_in_at=now), shop.bought("long ago", customer="bob"))
    rows = await books.fetch(
        "SELECT order_id, tableoid::regclass::text AS lies_in FROM entry WHERE tenant = $1", shop.tenant
    )
    month = f"entry_{now:%Y_%m}"
    assert {row["order_id"]: row["lies_in"] for row in rows} == {"now": month, "long ago": "entry_rest"}
    async with transaction(books.engine) as tx:
        assert await ensure_months(tx) == 0, "made by the migration"
        assert await tx.raw.fetchval("SELECT ensure_entry_months_v1(current_date + 100, 1)") == 1
    async with transaction(books.engine) as tx:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.raw.execute(f"UPDATE {month} SET points = 1")
