"""The tenants that events are taken for, remembered in the process."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from services.gateway.remembered import Ages, Remembered
from services.gateway.tenants.tenant import Tenant
from shared.errors import UnavailableError

# A new version of a programme is stamped on events within three seconds by a process that did not forward it itself;
# what is known of a tenant stands for as long as the database is away, since its currency never changes.
_AGES = Ages(fresh_s=1.0, soft_s=3.0, stale_s=7 * 86_400.0)

FindTenant = Callable[[str], Awaitable[Tenant | None]]


class TenantDirectory:
    """Tenant by name."""

    def __init__(self, find: FindTenant) -> None:
        self._find = find
        self._known: Remembered[str, Tenant] = Remembered(self._load, _AGES)

    def at_once(self, tenant: str) -> Tenant | None:
        """The tenant if it was looked up a moment ago."""
        return self._known.at_once(tenant)

    async def get(self, tenant: str) -> Tenant:
        """The tenant. Raises UnavailableError when it is not known here: its key proves that it exists somewhere."""
        return await self._known.get(tenant)

    def note_programme(self, tenant: Tenant) -> None:
        """A newer version was published through this process: its caller's next event shall carry it."""
        known = self._known.last(tenant.tenant)
        if known is None or known.programme_version < tenant.programme_version:
            limit = known.events_per_s if known else None
            self._known.put(tenant.tenant, replace(tenant, events_per_s=limit))

    def forget(self, tenant: str) -> None:
        """Something about the tenant was changed here: look it up again."""
        self._known.forget(lambda name, _: name == tenant)

    async def _load(self, name: str) -> Tenant:
        found = await self._find(name)
        if found is None:
            raise UnavailableError("This tenant is not ready yet.", code="tenant_not_ready", retry_after_s=2.0)
        noted = self._known.last(name)
        newer = max(found.programme_version, noted.programme_version if noted else 0)
        return replace(found, programme_version=newer)
