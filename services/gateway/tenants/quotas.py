"""How many events a tenant may bring, over all its keys and its customers' tokens: one shop's sale is no reason for
another one's customers to wait."""

from services.gateway.ingest.models import BATCH_MAX
from services.gateway.tenants.tenant import Tenant
from services.gateway.token_bucket import TokenBucket


class Quotas:
    """A bucket for each tenant, in this process: the tenant's own rate, or the installation's. All of them hold the
    same number of seconds, and a batch at least."""

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s, self._burst_s = rate_per_s, burst / rate_per_s
        self._buckets: dict[str, TokenBucket] = {}

    def of(self, tenant: Tenant) -> TokenBucket:
        """What is left to this tenant; a new rate begins with a full bucket."""
        rate_per_s = tenant.events_per_s or self._rate_per_s
        bucket = self._buckets.get(tenant.tenant)
        if bucket is None or bucket.rate_per_s != rate_per_s:
            burst = max(BATCH_MAX, rate_per_s * self._burst_s)
            bucket = self._buckets[tenant.tenant] = TokenBucket(rate_per_s, burst, "of this tenant")
        return bucket
