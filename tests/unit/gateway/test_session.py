"""What is kept for a credential in use."""

from dataclasses import replace

import pytest

from services.gateway import token_bucket
from services.gateway.auth import session as module
from services.gateway.auth.session import Session
from services.gateway.ingest.models import BATCH_MAX
from services.gateway.tenants.quotas import Quotas
from services.gateway.tenants.tenant import Tenant
from services.gateway.token_bucket import TokenBucket, take_from_both
from shared.auth.principal import Principal
from shared.auth.tokens import TokenSigner, TokenVerifier
from shared.clock import SystemClock
from shared.errors import RateLimitedError
from tests.support.gateway import KeyPair


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(module, "monotonic", time)
    monkeypatch.setattr(token_bucket, "monotonic", time)
    return time


def test_a_bucket_allows_a_burst_and_then_its_rate(time: Time) -> None:
    bucket = TokenBucket(rate_per_s=10, burst=20)
    bucket.take(20)
    with pytest.raises(RateLimitedError) as refused:
        bucket.take(5)
    assert refused.value.retry_after_s == pytest.approx(0.5)
    time.now += 0.5
    bucket.take(5)
    time.now += 100
    bucket.take(20)
    with pytest.raises(RateLimitedError):
        bucket.take(1)


def test_a_batch_that_is_refused_fits_when_it_comes_again_as_told(time: Time) -> None:
    bucket = TokenBucket(rate_per_s=10, burst=BATCH_MAX)
    bucket.take(1)
    bucket.take(BATCH_MAX - 1, taken=1)
    time.now += 30
    bucket.take(1)
    with pytest.raises(RateLimitedError) as refused:
        bucket.take(BATCH_MAX - 1, taken=1)
    assert refused.value.retry_after_s is not None
    time.now += refused.value.retry_after_s + 1e-6
    bucket.take(1)
    bucket.take(BATCH_MAX - 1, taken=1)


def test_what_one_bucket_refuses_costs_nothing_in_the_other(time: Time) -> None:
    first, second = TokenBucket(1, 10), TokenBucket(1, 5)
    take_from_both(first, second, 1)
    with pytest.raises(RateLimitedError):
        take_from_both(first, second, 8, taken=1)
    first.take(10)
    second.take(5)


def test_a_tenant_has_its_own_rate_or_what_all_have_and_a_batch_at_least(time: Time) -> None:
    quotas = Quotas(rate_per_s=100, burst=600)
    plain = Tenant("plain", "EUR", "Europe/Berlin", "de-DE", 1)
    assert quotas.of(plain) is quotas.of(plain)
    quotas.of(plain).take(600)
    with pytest.raises(RateLimitedError, match="100 events a second of this tenant"):
        quotas.of(plain).take(1)
    quotas.of(replace(plain, tenant="small", events_per_s=1)).take(BATCH_MAX)
    quotas.of(replace(plain, events_per_s=1000)).take(6000)
    with pytest.raises(RateLimitedError):
        quotas.of(replace(plain, events_per_s=1000)).take(1)


def test_the_internal_token_is_made_again_before_it_ends(time: Time) -> None:
    keys = KeyPair.fresh()
    principal = Principal("demo", frozenset({"events:write"}), subject="key:1")
    session = Session(principal, TokenBucket(1, 1), TokenSigner(keys.private, SystemClock()))
    first = session.bearer()
    time.now += 239
    assert session.bearer() is first
    time.now += 2
    second = session.bearer()
    assert second is not first
    assert TokenVerifier(keys.public, SystemClock()).verify(second) == principal
