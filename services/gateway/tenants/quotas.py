"""How many events a tenant may bring, over all its keys and its customers' tokens: one shop's sale is no reason for
another one's customers to wait."""

from time import monotonic
from typing import Final

from services.gateway.ingest.models import BATCH_MAX
from services.gateway.tenants.tenant import Tenant
from services.gateway.token_bucket import TokenBucket

_OF_LATE_S: Final = 60.0


class Quotas:
    """A bucket for each tenant, in this process: the tenant's own rate, or the installation's. All of them hold the
    same number of seconds, and a batch at least."""

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s, self._burst_s = rate_per_s, burst / rate_per_s
        self._buckets: dict[str, TokenBucket] = {}
        self._share = 1.0

    def of(self, tenant: Tenant) -> TokenBucket:
        """What is left to this tenant; a new rate begins with a full bucket."""
        rate_per_s = tenant.events_per_s or self._rate_per_s
        bucket = self._buckets.get(tenant.tenant)
        if bucket is None or bucket.rate_per_s != rate_per_s:
            burst = max(BATCH_MAX, rate_per_s * self._burst_s)
            bucket = self._buckets[tenant.tenant] = TokenBucket(rate_per_s, burst, "of this tenant")
            bucket.narrow(self._share, BATCH_MAX)
        return bucket

    def are_shared(self) -> bool:
        """Whether more than one tenant has brought events of late."""
        since = monotonic() - _OF_LATE_S
        return sum(bucket.used_at > since for bucket in self._buckets.values()) > 1

    def narrow(self, share: float) -> None:
        """Every tenant may use this share of its rate from now on."""
        self._share = share
        for bucket in self._buckets.values():
            bucket.narrow(share, BATCH_MAX)
