"""The gate: the whole table, and what it must never let through."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.customer import Customer, Profile, ProfileState
from services.notifications.domain.decision import HISTORY_AFTER, Decision, decide, is_history
from services.notifications.domain.message import Channel, Purpose, Reason, Status
from tests.unit.notifications.sample import NOW

ADA = Profile(state=ProfileState.KNOWN, email="ada@example.org")
EMAIL, INAPP = Channel.EMAIL, Channel.INAPP
SERVICE, MARKETING = Purpose.SERVICE, Purpose.MARKETING


def skipped(reason: Reason) -> Decision:
    return Decision(Status.SKIPPED, reason)


TABLE = [
    (EMAIL, SERVICE, Customer(ADA), False, Decision(Status.QUEUED)),
    (INAPP, SERVICE, Customer(ADA), False, Decision(Status.SENT)),
    (INAPP, SERVICE, Customer(Profile()), False, Decision(Status.SENT)),
    (INAPP, SERVICE, Customer(ADA), True, Decision(Status.SENT)),
    (EMAIL, SERVICE, Customer(Profile()), False, Decision(Status.WAITING)),
    (EMAIL, SERVICE, Customer(Profile()), True, skipped(Reason.HISTORY)),
    (EMAIL, SERVICE, Customer(ADA), True, skipped(Reason.HISTORY)),
    (EMAIL, SERVICE, Customer(Profile(state=ProfileState.KNOWN)), False, skipped(Reason.NO_ADDRESS)),
    (EMAIL, SERVICE, Customer(ADA, {(EMAIL, SERVICE): True}), False, Decision(Status.QUEUED)),
    (EMAIL, SERVICE, Customer(ADA, {(EMAIL, MARKETING): False}), False, Decision(Status.QUEUED)),
    (EMAIL, SERVICE, Customer(ADA, {(EMAIL, SERVICE): False}), False, skipped(Reason.CONSENT_WITHDRAWN)),
    (INAPP, SERVICE, Customer(ADA, {(EMAIL, SERVICE): False}), False, Decision(Status.SENT)),
    (INAPP, SERVICE, Customer(ADA, {(INAPP, SERVICE): False}), False, skipped(Reason.CONSENT_WITHDRAWN)),
    (EMAIL, MARKETING, Customer(ADA), False, skipped(Reason.NO_MARKETING_CONSENT)),
    (EMAIL, MARKETING, Customer(ADA, {(EMAIL, SERVICE): True}), False, skipped(Reason.NO_MARKETING_CONSENT)),
    (EMAIL, MARKETING, Customer(ADA, {(EMAIL, MARKETING): True}), False, Decision(Status.QUEUED)),
    (EMAIL, MARKETING, Customer(ADA, {(EMAIL, MARKETING): False}), False, skipped(Reason.CONSENT_WITHDRAWN)),
    (EMAIL, SERVICE, Customer(ADA, suppressed=True), False, skipped(Reason.SUPPRESSED)),
    (INAPP, SERVICE, Customer(ADA, suppressed=True), False, Decision(Status.SENT)),
    (INAPP, SERVICE, Customer(Profile(state=ProfileState.ERASED)), False, skipped(Reason.ERASED)),
    (EMAIL, SERVICE, Customer(Profile(state=ProfileState.ERASED)), True, skipped(Reason.ERASED)),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "purpose", "customer", "history", "wanted"), TABLE)
def test_the_table(channel: Channel, purpose: Purpose, customer: Customer, history: bool, wanted: Decision) -> None:
    assert decide(channel, purpose, customer, history=history) == wanted


customers = st.builds(
    Customer,
    st.one_of(
        st.builds(Profile, state=st.just(ProfileState.KNOWN), email=st.sampled_from([None, "", "ada@example.org"])),
        st.builds(Profile, state=st.sampled_from([ProfileState.MISSING, ProfileState.ERASED])),
    ),
    st.dictionaries(st.sampled_from(list(product(Channel, Purpose))), st.booleans()),
    st.booleans(),
)


@given(customers, st.sampled_from(Channel), st.sampled_from(Purpose), st.booleans())
def test_nothing_goes_out_that_must_not(customer: Customer, channel: Channel, purpose: Purpose, history: bool) -> None:
    decision = decide(channel, purpose, customer, history=history)
    said = customer.consents.get((channel, purpose))
    assert (decision.reason is not None) == (decision.status is Status.SKIPPED)
    if decision.status in (Status.QUEUED, Status.SENT):
        assert customer.profile.state is not ProfileState.ERASED
        assert said is not False
        assert said is True or purpose is Purpose.SERVICE
    if decision.status is Status.QUEUED:
        assert customer.profile.email
        assert not customer.suppressed
        assert not history


def test_history_is_what_happened_long_before_we_heard_of_it() -> None:
    assert not is_history(NOW, NOW)
    assert not is_history(NOW - HISTORY_AFTER, NOW)
    assert is_history(NOW - HISTORY_AFTER - timedelta(seconds=1), NOW)
    assert not is_history(NOW + timedelta(days=1), NOW)
