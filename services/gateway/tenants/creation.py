"""Making a tenant: a name here, a programme at the points service, and every service must know it before the first key
is given away. Whatever fails in the middle, doing it again with the same name goes on where it stopped."""

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import msgspec

from services.gateway.adapters.keys import NewKey
from services.gateway.adapters.tenants import Registration, Tenants
from services.gateway.auth.api_key import KeyMode, mint, secret_hash
from services.gateway.forwarding.headers import own
from services.gateway.forwarding.upstream import SERVICES, Question, Reply, Service, Upstreams
from shared.auth.principal import Principal
from shared.auth.scopes import FIRST_KEY_SCOPES, PROGRAMME_READ, PROGRAMME_WRITE
from shared.auth.tokens import TokenSigner
from shared.clock import Clock
from shared.errors import ConflictError, InvalidError, UnavailableError

_TOKEN_TTL_S: Final = 60.0
_POLL_S: Final = 0.1
_ASK_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTenant:
    """What is wished for."""

    registration: Registration
    points_per_unit: str
    mode: KeyMode
    asked_by: str


@dataclass(frozen=True, slots=True)
class CreatedTenant:
    """`api_key` is shown this once."""

    tenant: str
    api_key: str


class TenantCreation:
    """Makes tenants."""

    def __init__(
        self, tenants: Tenants, upstreams: Upstreams, signer: TokenSigner, pepper: str, clock: Clock, timeout_s: float
    ) -> None:
        self._tenants, self._upstreams, self._signer = tenants, upstreams, signer
        self._pepper, self._clock, self._timeout_s = pepper, clock, timeout_s

    async def create(self, wanted: CreateTenant, correlation_id: str) -> CreatedTenant:
        """Returns when every service knows the tenant.

        Raises ConflictError for a name that is taken, UnavailableError when a service does not get to know it in time:
        the same again goes on from there.
        """
        name = wanted.registration.name
        known, has_key = await self._tenants.register(wanted.registration)
        if has_key:
            raise ConflictError("There is a tenant of this name.", code="tenant_exists")
        if known.currency != wanted.registration.currency:
            raise ConflictError(f"This tenant was begun with the currency {known.currency}.", code="tenant_exists")
        headers = own(self._token(name, wanted.asked_by), correlation_id)
        await self._publish_programme(wanted, headers)
        await self._wait_until_known(name, headers)
        return CreatedTenant(name, await self._first_key(wanted))

    async def _publish_programme(self, wanted: CreateTenant, headers: list[tuple[bytes, bytes]]) -> None:
        """The first version of the programme, unless an earlier attempt has come so far."""
        path = b"/v1/programme"
        there = await self._ask("points", Question("GET", path, headers, timeout_s=_ASK_TIMEOUT_S))
        if there.status == 200:
            return
        asked = wanted.registration
        programme = {
            "name": asked.display_name or asked.name,
            "currency": asked.currency,
            "time_zone": asked.time_zone,
            "locale": asked.locale,
            "points_per_unit": wanted.points_per_unit,
        }
        json = [*headers, (b"content-type", b"application/json")]
        reply = await self._ask(
            "points", Question("PUT", path, json, msgspec.json.encode(programme), timeout_s=_ASK_TIMEOUT_S)
        )
        if reply.status == 422:
            raise InvalidError("The programme is not acceptable.", reasons=_problem(reply).get("errors", []))
        if reply.status >= 300:
            raise _not_ready(f"points answered {reply.status}")

    async def _wait_until_known(self, name: str, headers: list[tuple[bytes, bytes]]) -> None:
        until = monotonic() + self._timeout_s
        missing = ["gateway", *SERVICES]
        while missing:
            knows = await asyncio.gather(*(self._knows(who, name, headers) for who in missing))
            missing = [who for who, known in zip(missing, knows, strict=True) if not known]
            if missing and monotonic() > until:
                raise _not_ready(f"not known yet to {', '.join(missing)}")
            await asyncio.sleep(_POLL_S if missing else 0)

    async def _knows(self, who: Any, name: str, headers: list[tuple[bytes, bytes]]) -> bool:
        if who == "gateway":
            found = await self._tenants.find(name)
            return found is not None and found.programme_version > 0
        try:
            reply = await self._ask(who, Question("GET", f"/internal/tenants/{name}".encode(), headers))
        except UnavailableError:
            return False
        return reply.status == 200

    async def _first_key(self, wanted: CreateTenant) -> str:
        key = mint(wanted.mode)
        stored = await self._tenants.add_first_key(
            NewKey(
                tenant=wanted.registration.name, id=key.id, mode=key.mode,
                secret_hash=secret_hash(key.secret, self._pepper), scopes=FIRST_KEY_SCOPES, name="first key",
                created_at=self._clock.now(), created_by=wanted.asked_by, expires_at=None,
            )
        )  # fmt: skip
        if not stored:
            raise ConflictError("There is a tenant of this name.", code="tenant_exists")
        return key.text

    async def _ask(self, service: Service, question: Question) -> Reply:
        return await self._upstreams[service].ask(question)

    def _token(self, tenant: str, asked_by: str) -> str:
        scopes = frozenset({PROGRAMME_WRITE, PROGRAMME_READ})
        return self._signer.sign(Principal(tenant, scopes, subject=asked_by), _TOKEN_TTL_S)


def _problem(reply: Reply) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(reply.body)
    except msgspec.MsgspecError:
        return {}
    return found if isinstance(found, dict) else {}


def _not_ready(why: str) -> UnavailableError:
    return UnavailableError(
        f"The tenant is not ready: {why}. The same request again goes on from here.",
        code="tenant_not_ready", retry_after_s=2.0,
    )  # fmt: skip
