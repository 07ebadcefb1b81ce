"""What holds whatever the log looks like: duplicates, disorder, batches of any size."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.points.domain.award import AWARD_MAX, EARNED_MAX, LARGE_AWARD
from services.points.domain.programme import Programme, ReturnPolicy, Rounding, Terms
from shared.messaging.incoming import Incoming
from tests.support.points import NOON, Shop
from tests.support.points_memory import Memory

SHOP = Shop(tenant="shop")
KEY = ("shop", "ada")


def programme(policy: ReturnPolicy = ReturnPolicy.RECOMPUTE, delay_days: int = 0, rate: str = "1") -> Programme:
    terms = Terms(
        name="shop", currency="EUR", time_zone="Europe/Berlin", locale="de-DE", points_per_unit=Decimal(rate),
        rounding=Rounding.FLOOR, return_policy=policy, activation_delay_days=delay_days,
    )  # fmt: skip
    return Programme(version=1, terms=terms, effective_from=NOON, recorded_at=NOON)


@st.composite
def logs(draw: st.DrawFn) -> list[Incoming]:
    """A customer's purchases, and returns that never exceed them: a return may leave its customer out, and is of any
    time."""
    events: list[Incoming] = []
    for number in range(draw(st.integers(1, 6))):
        order, total = f"o-{number}", draw(st.integers(0, 20_000))
        events.append(SHOP.bought(order, total, at=NOON + timedelta(minutes=number)))
        left = total
        for part in range(draw(st.integers(0, 3))):
            amount = draw(st.integers(0, left))
            left -= amount
            at = NOON + timedelta(minutes=draw(st.integers(0, 500)))
            customer = draw(st.sampled_from(("ada", None)))
            events.append(SHOP.returned(order, amount, customer, at, name=f"r-{number}-{part}"))
        if draw(st.booleans()) and not draw(st.integers(0, 3)):
            events.append(SHOP.cancelled(order, name=f"c-{number}", at=NOON + timedelta(days=1)))
    return events


def batches(events: Sequence[Incoming], draw: Any) -> list[Sequence[Incoming]]:
    """The same log in batches."""
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(events) - 1)), max_size=5)))
    bounds = [0, *[cut for cut in cuts if cut < len(events)], len(events)]
    return [events[a:b] for a, b in pairwise(bounds)]


async def posted(policy: ReturnPolicy, delay_days: int, rounds: Sequence[Sequence[Incoming]]) -> Memory:
    memory = Memory({"shop": [programme(policy, delay_days)]})
    for batch in rounds:
        await memory.post(batch)
    return memory


def worth(memory: Memory) -> tuple[int, int, int]:
    """What there is, what is owed, what was earned and kept."""
    wallet = memory.wallets[KEY]
    return wallet.posted + wallet.pending, wallet.debt, wallet.lifetime_earned


POLICIES = st.sampled_from((ReturnPolicy.RECOMPUTE, ReturnPolicy.PRO_RATA))


@settings(deadline=None, max_examples=80)
@given(logs(), POLICIES, st.sampled_from((0, 14)), st.data())
async def test_neither_order_nor_duplicates_nor_batches_change_what_is_left(
    log: list[Incoming], policy: ReturnPolicy, delay_days: int, data: st.DataObject
) -> None:
    # Without a cancellation, whose place among the returns decides which of them come too late.
    log = [event for event in log if event.event.TYPE != "purchase.cancelled"]
    straight = await posted(policy, delay_days, [log])
    again = data.draw(st.lists(st.sampled_from(log), max_size=5))
    mixed = data.draw(st.permutations([*log, *again]))
    shuffled = await posted(policy, delay_days, batches(mixed, data.draw))
    assert worth(shuffled) == worth(straight)
    assert {key: order.clawed for key, order in shuffled.orders.items()} == {
        key: order.clawed for key, order in straight.orders.items()
    }
    assert not any(shuffled.waiting.values())


@settings(deadline=None, max_examples=80)
@given(logs(), POLICIES, st.data())
async def test_the_same_log_in_other_batches_gives_the_same_entries(
    log: list[Incoming], policy: ReturnPolicy, data: st.DataObject
) -> None:
    log = data.draw(st.permutations(log))
    first = await posted(policy, 0, batches(log, data.draw))
    second = await posted(policy, 0, batches(log, data.draw))
    assert first.entries == second.entries
    assert first.allocations == second.allocations
    assert first.lots == second.lots


@settings(deadline=None, max_examples=80)
@given(logs(), POLICIES, st.data())
async def test_the_ledger_adds_up_after_every_batch(
    log: list[Incoming], policy: ReturnPolicy, data: st.DataObject
) -> None:
    memory = Memory({"shop": [programme(policy)]})
    for batch in batches(data.draw(st.permutations(log)), data.draw):
        await memory.post(batch)
        wallet = memory.wallets.get(KEY)
        if wallet is None:
            continue
        entries = memory.entries
        assert sum(entry.points for entry in entries) == wallet.posted + wallet.pending
        assert sum(entry.debt for entry in entries) == wallet.debt
        assert sum(lot.remaining for lot in memory.lots[KEY].values()) == wallet.posted + wallet.pending
        assert [entry.id for entry in entries] == sorted(entry.id for entry in entries)
        earned = sum(order.points - order.clawed for order in memory.orders.values())
        assert wallet.lifetime_earned == earned == wallet.posted + wallet.pending - wallet.debt
        returned = {key: order.returned_minor for key, order in memory.orders.items()}
        for key, minor in returned.items():
            assert minor == sum(back.minor for back in memory.returns if (back.tenant, back.order_id) == key)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=8), POLICIES, st.data())
async def test_all_of_it_returned_leaves_nothing(totals: list[int], policy: ReturnPolicy, data: st.DataObject) -> None:
    log = [SHOP.bought(f"o-{number}", total) for number, total in enumerate(totals)]
    log += [SHOP.cancelled(f"o-{number}") for number in range(len(totals))]
    memory = await posted(policy, 0, batches(data.draw(st.permutations(log)), data.draw))
    assert worth(memory) == (0, 0, 0)


async def test_a_tenant_without_a_programme_waits_without_effect() -> None:
    memory = Memory({})
    events = [SHOP.bought("o-1"), SHOP.returned("o-1", 100), SHOP.profile()]
    effects = await memory.post(events)
    assert [effects.of(event.id).status for event in events] == ["waiting", "waiting", "applied"]
    assert effects.of(events[0].id).reason == "programme_unknown"
    assert not memory.entries
    assert not memory.orders
    assert not memory.waiting


async def test_a_guest_earns_nothing_and_may_return() -> None:
    memory = Memory({"shop": [programme()]})
    bought, back = SHOP.bought("o-1", customer=None), SHOP.returned("o-1", 100, customer=None)
    effects = await memory.post([bought, back])
    assert [effects.of(event.id).status for event in (bought, back)] == ["applied", "applied"]
    assert not memory.wallets
    assert memory.orders["shop", "o-1"].returned_minor == 100


async def test_a_purchase_that_earns_nothing_says_so_and_makes_the_customer_known() -> None:
    memory = Memory({"shop": [programme()]})
    effects = await memory.post([SHOP.bought("o-1", 99)])
    assert effects.of(SHOP.id("buy o-1")).effects == ({"kind": "points.earned", "points": 0},)
    assert KEY in memory.wallets
    assert not memory.entries


async def test_what_is_refused_says_why() -> None:
    memory = Memory({"shop": [programme()]})
    await memory.post([SHOP.bought("o-1")])
    cases = [
        (SHOP.bought("o-2", currency="USD"), "currency_not_of_programme"),
        (SHOP.bought("o-1", name="again"), "order_already_counted"),
        (SHOP.returned("o-1", 100, currency="USD", name="usd"), "currency_not_of_programme"),
        (SHOP.returned("o-9", 100, currency="USD", name="early"), "currency_not_of_programme"),
        (SHOP.returned("o-1", 100, customer="bob", name="bob"), "customer_not_of_order"),
        (SHOP.returned("o-1", 5000), "return_exceeds_purchase"),
    ]
    effects = await memory.post([event for event, _ in cases])
    assert [(effects.of(event.id).status, effects.of(event.id).reason) for event, _ in cases] == [
        ("rejected", reason) for _, reason in cases
    ]
    assert memory.wallets[KEY].posted == 49


@settings(deadline=None, max_examples=20)
@given(st.data())
async def test_no_award_and_no_customer_goes_beyond_the_limits_however_the_batches_fall(data: st.DataObject) -> None:
    memory = Memory({"shop": [programme(rate="1000")]})
    most = AWARD_MAX // 1000 * 100  # in cents
    log = [SHOP.bought("more", most + 100), *(SHOP.bought(f"o-{number}", most) for number in range(1001))]
    log += [SHOP.bought("small", LARGE_AWARD // 10), SHOP.bought("large", LARGE_AWARD // 10 + 1)]
    log += [SHOP.returned("more", 100), SHOP.bought("guest", 2**62, customer=None), SHOP.cancelled("o-0")]
    for batch in batches(log, data.draw):
        await memory.post(batch)
    refused = {event.event.order_id for event in log if memory.outcomes[event.id].reason == "points_beyond_limit"}
    assert refused == {"more", "o-1000", "large", "guest"}
    wallet = memory.wallets[KEY]
    assert wallet.posted == EARNED_MAX + LARGE_AWARD - AWARD_MAX
    assert (memory.orders["shop", "more"].returned_minor, memory.orders["shop", "more"].points) == (100, 0)


AGAIN = [SHOP.bought("o", 5000), SHOP.cancelled("o"), SHOP.bought("o", 5000, name="again")]


@pytest.mark.parametrize(
    "other",
    [SHOP.returned("o", 2000, None), SHOP.cancelled("o", None, name="nobody's")],
    ids=["return", "cancellation"],
)
@pytest.mark.parametrize("policy", [ReturnPolicy.RECOMPUTE, ReturnPolicy.PRO_RATA])
async def test_what_comes_on_another_partition_comes_to_the_same_wherever_it_falls(
    other: Incoming, policy: ReturnPolicy
) -> None:
    """The purchase, its cancellation and the purchase again come in this order everywhere; what names nobody may come
    before, between or after them."""
    found = []
    for place in range(len(AGAIN) + 1):
        log = [*AGAIN[:place], other, *AGAIN[place:]]
        for cut in range(len(log) + 1):
            memory = await posted(policy, 0, [each for each in (log[:cut], log[cut:]) if each])
            order = memory.orders["shop", "o"]
            found.append((worth(memory), order.cancelled, order.cancelled or order.returned_minor))
    assert all(each == found[0] for each in found), found


async def test_an_order_that_somebody_cancelled_without_a_name_is_not_reinstated() -> None:
    nobodys = SHOP.cancelled("o", None)
    for log in ([AGAIN[0], nobodys, AGAIN[2]], [nobodys, AGAIN[0], AGAIN[2]]):
        memory = await posted(ReturnPolicy.RECOMPUTE, 0, [log])
        assert memory.outcomes[AGAIN[2].id].reason == "order_already_counted"
        assert worth(memory) == (0, 0, 0)


async def test_a_return_is_taken_before_a_cancellation_that_overtook_the_purchase_too() -> None:
    early = [SHOP.cancelled("o", at=NOON), SHOP.returned("o", 5000, None, at=NOON + timedelta(hours=1))]
    memory = await posted(ReturnPolicy.RECOMPUTE, 0, [early, [AGAIN[0]], [AGAIN[2]]])
    assert memory.outcomes[early[1].id].status == "applied"
    assert worth(memory) == (0, 0, 0)
