"""Tenants share what there is while points are behind."""

import pytest

from services.gateway import token_bucket
from services.gateway.ingest.models import BATCH_MAX
from services.gateway.tenants import quotas as of_quotas
from services.gateway.tenants import sharing as of_sharing
from services.gateway.tenants.quotas import Quotas
from services.gateway.tenants.sharing import Sharing
from services.gateway.tenants.tenant import Tenant
from shared.errors import RateLimitedError

LOUD = Tenant("loud", "EUR", "Europe/Berlin", "de-DE", 1)
QUIET = Tenant("quiet", "EUR", "Europe/Berlin", "de-DE", 1)


class World:
    """A clock, and points that have every event or none, or are away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.arrived: bool | None = False
        for module in (of_quotas, of_sharing, token_bucket):
            monkeypatch.setattr(module, "monotonic", lambda: self.now)
        self.quotas = Quotas(rate_per_s=1000, burst=5000)
        self.sharing = Sharing(self.quotas, self._arrived, least=0.1)

    async def _arrived(self, tenant: str, event_id: str) -> bool | None:
        return self.arrived

    async def pass_s(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.25)):
            self.now += 0.25
            self.sharing.note("loud", "e")
            await self.sharing.look()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


async def test_who_brings_much_brings_less_while_points_are_behind_and_who_brings_little_brings_on(
    world: World,
) -> None:
    loud, quiet = world.quotas.of(LOUD), world.quotas.of(QUIET)
    quiet.take(1)
    await world.pass_s(10)
    assert world.sharing.share == 0.1
    loud.take(BATCH_MAX)
    with pytest.raises(RateLimitedError, match="100 events a second of this tenant while the platform is behind"):
        loud.take(BATCH_MAX)
    for _ in range(50):
        quiet.take(1)
    world.arrived = True
    await world.pass_s(10)
    assert world.sharing.share == 1.0
    world.now += 10
    loud.take(5000)


async def test_a_tenant_that_is_new_meanwhile_shares_too(world: World) -> None:
    world.quotas.of(QUIET).take(1)
    world.quotas.of(LOUD).take(1)
    await world.pass_s(10)
    newcomer = world.quotas.of(Tenant("new", "EUR", "Europe/Berlin", "de-DE", 1))
    newcomer.take(BATCH_MAX)
    with pytest.raises(RateLimitedError):
        newcomer.take(BATCH_MAX)


async def test_a_tenant_alone_waits_behind_itself(world: World) -> None:
    world.quotas.of(LOUD).take(1)
    await world.pass_s(10)
    assert world.sharing.share == 1.0


async def test_while_points_cannot_be_asked_everything_stays_as_it_is(world: World) -> None:
    world.quotas.of(QUIET).take(1)
    world.quotas.of(LOUD).take(1)
    await world.pass_s(3)
    before, world.arrived = world.sharing.share, None
    await world.pass_s(60)
    assert world.sharing.share == before < 1
    world.arrived = True
    await world.pass_s(10)
    assert world.sharing.share == 1.0


async def test_few_events_are_followed(world: World) -> None:
    asked = []

    async def arrived(tenant: str, event_id: str) -> bool:
        asked.append(event_id)
        return True

    sharing = Sharing(world.quotas, arrived, least=0.1)
    for number in range(1000):
        sharing.note("loud", str(number))
        world.now += 0.001
    await sharing.look()
    assert len(asked) == 4
