"""What is kept for a credential in use."""

import pytest

from services.gateway.auth import session as module
from services.gateway.auth.session import Session, TokenBucket
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


def test_the_internal_token_is_made_again_before_it_ends(time: Time) -> None:
    keys = KeyPair.fresh()
    principal = Principal("demo", frozenset({"events:write"}), subject="key:1")
    session = Session(principal, TokenBucket(1, 1), TokenSigner(keys.private, SystemClock()), None)
    first = session.bearer()
    time.now += 239
    assert session.bearer() is first
    time.now += 2
    second = session.bearer()
    assert second is not first
    assert TokenVerifier(keys.public, SystemClock()).verify(second) == principal


def test_a_customer_keeps_the_token_that_it_came_with() -> None:
    keys = KeyPair.fresh()
    session = Session(
        Principal("demo", frozenset(), "c-1"), TokenBucket(1, 1), TokenSigner(keys.private, SystemClock()), "t"
    )
    assert session.bearer() == "t"
