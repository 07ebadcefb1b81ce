"""Limits of how much may come in how short a time."""

from time import monotonic

from shared.errors import RateLimitedError


class TokenBucket:
    """Allows `rate_per_s` in the long run and `burst` at once. `whose` ends the sentence that refuses."""

    __slots__ = ("_allowed_per_s", "_burst", "_tokens", "_whole_burst", "_whose", "rate_per_s", "used_at")

    def __init__(self, rate_per_s: float, burst: float, whose: str = "from this credential") -> None:
        self.rate_per_s = self._allowed_per_s = rate_per_s
        self._burst = self._whole_burst = burst
        self._whose = whose
        self._tokens = burst
        self.used_at = monotonic()

    def narrow(self, share: float, least_burst: float) -> None:
        """Allow this share of the rate and of the burst from now on; of the burst so much at least."""
        self._allowed_per_s = self.rate_per_s * share
        self._burst = max(min(least_burst, self._whole_burst), self._whole_burst * share)

    def take(self, count: int, taken: int = 0) -> None:
        """Raises RateLimitedError, saying when to come back, if there is not enough. `taken`: what this request has
        taken before; it gets it back with a refusal, so that the whole of it fits when it comes again as told."""
        now = monotonic()
        allowed_per_s = self._allowed_per_s
        tokens = min(self._burst, self._tokens + (now - self.used_at) * allowed_per_s)
        self.used_at = now
        if tokens < count:
            self._tokens = tokens + taken
            narrowed = " while the platform is behind" if allowed_per_s < self.rate_per_s else ""
            raise RateLimitedError(
                f"More than {allowed_per_s:g} events a second {self._whose}{narrowed}.",
                retry_after_s=(count - tokens) / allowed_per_s,
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
