"""How many may wait at once."""

from contextlib import ExitStack

import pytest

from shared.auth.principal import Principal
from shared.errors import RateLimitedError
from shared.http.waiting import WaitLimits, Waits

LIMITS = WaitLimits(per_customer=2, per_key=3, per_tenant=4, in_all=6)


def customer(name: str, tenant: str = "t") -> Principal:
    return Principal(tenant, frozenset(), name, "key:k")


def key(name: str = "k", tenant: str = "t") -> Principal:
    return Principal(tenant, frozenset(), subject=f"key:{name}")


def refuses(waits: Waits, principal: Principal) -> bool:
    try:
        with waits.one(principal):
            return False
    except RateLimitedError as error:
        return error.code == "too_many_waits" and error.retry_after_s is not None


@pytest.mark.parametrize(
    ("waiting", "asking", "refused"),
    [
        ([customer("a")], customer("a"), False),
        ([customer("a")] * 2, customer("a"), True),
        ([customer("a")] * 2, customer("b"), False),
        ([customer("a")] * 2, customer("a", "u"), False),
        ([key()] * 3, key(), True),
        ([key()] * 3, key("l"), False),
        ([customer("a")] * 2 + [key()] * 2, customer("b"), True),
        ([customer("a")] * 2 + [key()] * 2, customer("b", "u"), False),
        ([key(), key(), customer("a"), *[key(tenant="u")] * 3], customer("b", "v"), True),
    ],
)
def test_one_too_many_is_refused(waiting: list[Principal], asking: Principal, refused: bool) -> None:
    waits = Waits(LIMITS)
    with ExitStack() as entered:
        for each in waiting:
            entered.enter_context(waits.one(each))
        assert refuses(waits, asking) == refused
    assert not refuses(waits, asking), "who stopped waiting is still counted"


def test_a_wait_that_fails_ends_too() -> None:
    waits = Waits(LIMITS)
    for _ in range(10):
        with pytest.raises(KeyError), waits.one(customer("a")):
            raise KeyError
    assert not refuses(waits, customer("a"))
