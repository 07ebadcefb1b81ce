"""Limits of how much may come in how short a time."""

from time import monotonic

from shared.errors import RateLimitedError


class TokenBucket:
    """Allows `rate_per_s` in the long run and `burst` at once. `whose` ends the sentence that refuses."""

    __slots__ = ("_burst", "_filled_at", "_tokens", "_whose", "rate_per_s")

    def __init__(self, rate_per_s: float, burst: float, whose: str = "from this credential") -> None:
        self.rate_per_s, self._burst, self._whose = rate_per_s, burst, whose
        self._tokens = burst
        self._filled_at = monotonic()

    def take(self, count: int, taken: int = 0) -> None:
        """Raises RateLimitedError, saying when to come back, if there is not enough. `taken`: what this request has
        taken before; it gets it back with a refusal, so that the whole of it fits when it comes again as told."""
        now = monotonic()
        tokens = min(self._burst, self._tokens + (now - self._filled_at) * self.rate_per_s)
        self._filled_at = now
        if tokens < count:
            self._tokens = tokens + taken
            raise RateLimitedError(
                f"More than {self.rate_per_s:g} events a second {self._whose}.",
                retry_after_s=(count - tokens) / self.rate_per_s,
            )
        self._tokens = tokens - count

    def give_back(self, count: int) -> None:
        """What was taken for a request that is refused elsewhere."""
        self._tokens = min(self._burst, self._tokens + count)


def take_from_both(first: TokenBucket, second: TokenBucket, count: int, taken: int = 0) -> None:
    """Take from both or from neither. Raises RateLimitedError."""
    first.take(count, taken)
    try:
        second.take(count, taken)
    except RateLimitedError:
        first.give_back(count + taken)
        raise
