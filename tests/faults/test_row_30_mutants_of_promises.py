"""Row 30, two promises to the outside: what was written stays written, and a repetition is no second event. Each
mechanism is taken away, and the test that is there for it must go red."""

from collections.abc import Awaitable, Callable

import pytest

from services.gateway.ingest import stamping
from shared.db.transaction import transaction
from shared.ids import new_id_text
from tests.conftest import DatabaseFactory
from tests.integration.gateway import test_ingest
from tests.integration.points import test_rivals
from tests.support.gateway import Gateway, Shop, running_gateway
from tests.support.points import Books, opened
from tests.support.points import Shop as Seller
from tests.support.stack import Parts


async def test_with_the_right_to_rewrite_it_the_ledger_is_not_append_only(database: DatabaseFactory) -> None:
    async with opened(await database("points")) as books:
        await books.tamper("GRANT UPDATE, DELETE ON entry, allocation TO treue_points")
        with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
            await test_rivals.test_the_ledger_cannot_be_rewritten_by_the_role_that_writes_it(books)
        await _the_auditor_notices(books)


async def _the_auditor_notices(books: Books) -> None:
    """Whoever rewrites it all the same, by the role that writes it."""
    seller = Seller()
    await books.open(seller)
    await books.post(seller.bought("o-1"))
    assert await books.drift(seller) == {}
    async with transaction(books.engine) as tx:
        await tx.raw.execute("UPDATE entry SET points = points + 1 WHERE tenant = $1", seller.tenant)
    assert "entries_make_wallets" in await books.drift(seller)


async def _an_idempotency_key(_: Gateway, shop: Shop) -> None:
    await test_ingest.test_an_idempotency_key_names_the_event(shop)


@pytest.mark.parametrize(
    "repeats", [_an_idempotency_key, test_ingest.test_the_same_body_in_another_formatting_has_the_same_bytes],
    ids=["by Idempotency-Key", "by event_id"],
)  # fmt: skip
async def test_when_every_request_gets_a_new_id_a_repetition_is_another_event(
    parts: Parts,
    database: DatabaseFactory,
    monkeypatch: pytest.MonkeyPatch,
    repeats: Callable[[Gateway, Shop], Awaitable[None]],
) -> None:
    async with running_gateway(parts, await database("gateway")) as gateway:
        shop = await gateway.shop()
        monkeypatch.setattr(stamping, "event_id_text", lambda *_: new_id_text())
        with pytest.raises(AssertionError):
            await repeats(gateway, shop)
