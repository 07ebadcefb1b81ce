"""Row 30, of erasures and consents: each mechanism is taken away, and the test that is there for it must go red."""

from typing import Any

import pytest

from services.notifications.application import on_customers, on_erasures
from services.notifications.domain import consent
from services.notifications.domain.consent import Source, Word, Words
from shared import lives
from shared.erasures import ErasureTable, Owner
from tests.integration.metrics import test_erasure as in_metrics
from tests.integration.notifications import test_consent
from tests.integration.notifications import test_erasure as in_notifications
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import World
from tests.integration.points import test_erasure as in_points
from tests.support.metrics import Metrics
from tests.support.metrics import Shop as MetricsShop
from tests.support.points import Books
from tests.support.points_api import PointsApi


async def test_where_arrival_counts_an_older_yes_comes_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Word, "counts_over", lambda *_: True)
    with pytest.raises(AssertionError):
        await test_consent.test_n_21_what_was_said_later_counts_not_what_arrived_later(world, True)


async def test_where_all_words_weigh_the_same_the_shop_gives_back(
    world: World, box: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def newest(words: Words) -> bool | None:
        found = max(words.values(), key=lambda word: word.said_at, default=None)
        return found and found.granted

    monkeypatch.setattr(consent, "effective", newest)
    with pytest.raises(AssertionError):
        await test_consent.test_n_22_the_shops_list_against_the_persons_own_word(world, box)


async def test_without_the_tombstone_a_profile_brings_the_erased_back(
    world: World, box: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_customers, "is_erased", lambda *_: False)
    with pytest.raises(AssertionError):
        await in_notifications.test_n_29_erased_stays_erased_until_somebody_rejoins(world, box)


async def test_without_the_hash_of_the_address_a_withdrawal_is_forgotten(
    world: World, box: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forget_all(stores: Any, tx: Any, key: Any, _customer: Any, erasure: Any, _effects: Any) -> None:
        await stores.customers.save_profiles(tx, {key: on_erasures.Profile(state=on_erasures.ProfileState.ERASED)})
        await stores.customers.pseudonymise(tx, key, erasure.pseudonym)

    monkeypatch.setattr(on_erasures, "_forget", forget_all)
    with pytest.raises(AssertionError):
        await in_notifications.test_n_29_erased_stays_erased_until_somebody_rejoins(world, box)


async def test_without_the_lives_a_purchase_under_an_erased_id_earns(
    books: Books, api: PointsApi, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lives, "owner_of", lambda customer_id, *_: Owner(customer_id))
    with pytest.raises(AssertionError):
        await in_points.test_n_29_a_purchase_under_an_erased_id_is_a_guests_and_the_old_life_keeps_its_books(books, api)
    shop = MetricsShop()
    await metrics.apply([shop.programme()])
    with pytest.raises(AssertionError):
        await in_metrics.test_n_29_an_erased_id_is_a_guest_until_it_rejoins(metrics, shop)


async def test_without_the_record_a_replay_judges_anew(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> dict[Any, Any]:
        return {}

    monkeypatch.setattr(ErasureTable, "judged_orders", nothing)
    with pytest.raises(AssertionError):
        await in_points.test_n_29_what_overtakes_the_erasure_is_on_record(books)


async def test_without_the_lock_a_purchase_slips_past_the_erasure(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(*_: object, alone: bool) -> None:
        pass

    monkeypatch.setattr(ErasureTable, "lock", none)
    with pytest.raises(AssertionError):
        await in_points.test_nobody_is_erased_while_a_batch_is_posted(books)


def test_sources_are_two() -> None:
    """Whoever adds one decides how it weighs."""
    assert set(Source) == {Source.SHOP, Source.CUSTOMER}
