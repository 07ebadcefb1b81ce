"""The laws of the ledger, whatever happens to a wallet."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from services.points.domain.ledger import Cause, EntryKind, Reason
from services.points.domain.wallet import Wallet, consumption_order, debt_reason
from shared.ids import new_id

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POINTS = st.integers(1, 500)


def cause(at: int = 0, taken_in_ms: int = 0, reason: Reason = Reason.PURCHASE_COMPLETED) -> Cause:
    return Cause(new_id(), "o-1", NOON + timedelta(minutes=at), taken_in_ms, 1, reason)


class WalletLaws(RuleBasedStateMachine):
    """Earns, claws back and activates at random; after each step all laws must hold."""

    credits: Bundle[Cause] = Bundle("credits")

    def __init__(self) -> None:
        super().__init__()
        self.wallet = Wallet("shop", "ada")
        self.points: dict[Cause, int] = {}

    @rule(target=credits, points=POINTS, at=st.integers(0, 99), pending=st.booleans(), ms=st.integers(0, 3))
    def earn(self, points: int, at: int, pending: bool, ms: int) -> Cause:
        why = cause(at, ms)
        self.wallet.earn(why, points, NOON + timedelta(days=at), pending=pending, detail={})
        self.wallet.pay_debt(debt_reason(why), why.event_id)
        self.points[why] = points
        return why

    @rule(credit=credits, share=st.floats(0, 1), known=st.booleans())
    def take_back_a_part(self, credit: Cause, share: float, known: bool) -> None:
        self._take_back(credit, round(self.points[credit] * share), known)

    @rule(credit=consumes(credits))
    def take_back_the_rest(self, credit: Cause) -> None:
        self._take_back(credit, self.points[credit], True)

    @rule(target=credits, credit=consumes(credits), ms=st.integers(0, 3))
    def take_back_the_rest_and_restore_it(self, credit: Cause, ms: int) -> Cause:
        points, own = self.points[credit], self.wallet.lots[credit.event_id]
        if points and not own.held:
            self._take_back(credit, points, True)
            debt = self.wallet.debt
            entry = self.wallet.restore(cause(taken_in_ms=ms), points, own.id, {})
            self.points[credit] += points
            assert (entry.debt, entry.points) == (-min(debt, points), points - min(debt, points))
        return credit

    @rule(share=st.floats(0, 1))
    def hold(self, share: float) -> None:
        """As a redemption will: points of active lots are reserved."""
        for lot in self.wallet.lots.values():
            if lot.activated and lot.free:
                part = round(lot.free * share)
                lot.held += part
                self.wallet.held += part

    @rule()
    def release(self) -> None:
        if not self.wallet.debt:  # what is released while something is owed pays for it first, once there is redemption
            for lot in self.wallet.lots.values():
                lot.held = 0
            self.wallet.held = 0

    @rule(credit=credits)
    def activate(self, credit: Cause) -> None:
        lot = self.wallet.lots[credit.event_id]
        if not lot.activated and lot.remaining:
            before = self.wallet.posted + self.wallet.pending
            entry = self.wallet.activate(cause(reason=Reason.ACTIVATION_DUE), lot)
            assert (entry.points, self.wallet.posted + self.wallet.pending) == (0, before)

    def _take_back(self, credit: Cause, points: int, known: bool) -> None:
        if not points:
            return
        wallet, own = self.wallet, self.wallet.lots[credit.event_id]
        own_free, free, debt = own.free, sum(lot.free for lot in wallet.lots.values()), wallet.debt
        entry = wallet.claw_back(cause(), points, credit.event_id if known else None, {})
        self.points[credit] -= points
        assert entry.debt - entry.points == points
        assert wallet.debt - debt == max(0, points - free)
        if known:
            assert own.free == max(0, own_free - points), "the order's own lot goes first"

    @invariant()
    def entries_make_the_wallet(self) -> None:
        wallet = self.wallet
        assert sum(entry.points for entry in wallet.entries) == wallet.posted + wallet.pending
        assert sum(entry.debt for entry in wallet.entries) == wallet.debt
        running = 0
        for number, entry in enumerate(wallet.entries, 1):
            running += entry.points
            assert (entry.balance_after, entry.wallet_version) == (running, number)
        ids = [entry.id for entry in wallet.entries]
        assert ids == sorted(set(ids))

    @invariant()
    def lots_make_the_wallet(self) -> None:
        wallet, lots = self.wallet, self.wallet.lots.values()
        assert sum(lot.remaining for lot in lots if lot.activated) == wallet.posted
        assert sum(lot.remaining for lot in lots if not lot.activated) == wallet.pending
        for lot in lots:
            taken = sum(each.points for each in wallet.allocations if each.lot_id == lot.id)
            assert lot.remaining + taken == lot.amount
            assert 0 <= lot.held <= lot.remaining <= lot.amount

    @invariant()
    def nothing_is_negative_and_who_owes_has_nothing_free(self) -> None:
        wallet = self.wallet
        assert min(wallet.posted - wallet.held, wallet.pending, wallet.debt) >= 0
        assert not wallet.debt or wallet.posted + wallet.pending == wallet.held

    @invariant()
    def debits_are_allocated(self) -> None:
        for entry in self.wallet.entries:
            taken = sum(each.points for each in self.wallet.allocations if each.entry_id == entry.id)
            assert taken == (0 if entry.kind is EntryKind.EARNED else -entry.points)

    @invariant()
    def what_was_earned_and_kept_is_lifetime(self) -> None:
        assert self.wallet.lifetime_earned == sum(self.points.values())


TestWalletLaws = WalletLaws.TestCase
TestWalletLaws.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)


def test_what_expires_soonest_goes_first_then_what_is_oldest() -> None:
    wallet = Wallet("shop", "ada")
    for at in (5, 3, 4):
        wallet.earn(cause(at), 10, NOON, pending=False, detail={})
    soon = next(iter(wallet.lots.values()))
    soon.expires_at = NOON + timedelta(days=1)
    order = sorted(wallet.lots.values(), key=consumption_order)
    assert [lot.occurred_at.minute for lot in order] == [5, 3, 4]


def test_an_entry_has_the_same_id_in_every_replay_and_two_kinds_have_two() -> None:
    why = cause(taken_in_ms=1_772_366_400_000)
    wallets = [Wallet("shop", "ada", debt=5) for _ in range(2)]
    for wallet in wallets:
        wallet.earn(why, 10, NOON, pending=False, detail={})
        wallet.pay_debt(debt_reason(why), why.event_id)
    first, second = ([(entry.id, entry.kind) for entry in wallet.entries] for wallet in wallets)
    assert first == second
    assert [kind for _, kind in first] == [EntryKind.EARNED, EntryKind.DEBT_PAID]
    assert all(each.version == 7 for each, _ in first)
