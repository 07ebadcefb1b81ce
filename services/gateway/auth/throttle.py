"""Brakes on guessing: who brings many wrong credentials is not looked up any more."""

from collections import OrderedDict
from collections.abc import Callable

from services.gateway.token_bucket import TokenBucket
from shared.errors import RateLimitedError

_ADDRESSES_MAX = 20_000


class Throttle:
    """Wrong credentials of each address: `burst` at once, `per_s` in the long run. `address` tells whose request is at
    work."""

    def __init__(self, per_s: float, burst: float, address: Callable[[], str]) -> None:
        self._per_s, self._burst, self._address = per_s, burst, address
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def charge(self) -> TokenBucket:
        """Count one more; give it back if the credential turns out to be good. Raises RateLimitedError."""
        bucket = self._bucket(self._address())
        try:
            bucket.take(1)
        except RateLimitedError as refusal:
            raise RateLimitedError(
                "Too many wrong credentials came from this address; credentials that are in use already go on.",
                code="too_many_wrong_credentials", retry_after_s=refusal.retry_after_s,
            ) from None  # fmt: skip
        return bucket

    def _bucket(self, address: str) -> TokenBucket:
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = TokenBucket(self._per_s, self._burst)
            if len(self._buckets) > _ADDRESSES_MAX:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(address)
        return bucket
