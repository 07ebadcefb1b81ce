"""Where events come in: raw handlers, since their cost is the platform's throughput."""

from typing import NamedTuple

from services.gateway.auth.credentials import Credentials
from services.gateway.auth.receipts import Receipts
from services.gateway.auth.session import Session
from services.gateway.entrypoints.requests import idempotency_key
from services.gateway.forwarding.lives import Lives
from services.gateway.ingest import rules
from services.gateway.ingest.intake import Intake
from services.gateway.ingest.kinds import CONSENTS, CUSTOMERS, EVENT_KINDS, Kind, consent_of, profile_of
from services.gateway.ingest.reading import Read, Reader
from services.gateway.ingest.recent import RecentEvents, conflict
from services.gateway.ingest.reception import Reception
from services.gateway.ingest.stamping import id_of, stamp_of
from services.gateway.ingest.strictly import unacceptable
from services.gateway.tenants.directory import TenantDirectory
from services.gateway.tenants.quotas import Quotas
from services.gateway.tenants.sharing import Sharing
from services.gateway.tenants.tenant import Tenant
from services.gateway.token_bucket import TokenBucket, take_from_both
from shared.auth.principal import Principal
from shared.auth.scopes import CUSTOMERS_WRITE, EVENTS_WRITE
from shared.clock import Clock
from shared.errors import ConflictError, Fault, TreueError
from shared.events.customers import CustomerErased
from shared.events.envelope import Record, Stamp
from shared.http.hot import HotHandler, HotRequest, HotResponse
from shared.http.problems import problem_response
from shared.observability.context import TENANT
from shared.observability.tracing import current_traceparent

_ACCEPTED = b'{"event_id":"%b","status":"accepted","status_url":"%b"}'
_RESULT = b'{"index":%d,"event_id":"%b"%b}'


class Guards(NamedTuple):
    """What an event is held against before it is taken."""

    recent: RecentEvents
    quotas: Quotas
    lives: Lives
    sharing: Sharing


class IngestRoutes:
    """The handlers, with what they need."""

    def __init__(
        self,
        credentials: Credentials,
        tenants: TenantDirectory,
        intake: Intake,
        guards: "Guards",
        receipts: Receipts,
        clock: Clock,
        future_max_s: float,
        *,
        smtputf8: bool,
    ) -> None:
        self._credentials, self._tenants, self._intake = credentials, tenants, intake
        self._recent, self._quotas, self._lives, self._sharing = guards
        self._receipts = receipts
        self._clock, self._future_max_s, self._smtputf8 = clock, future_max_s, smtputf8

    def routes(self) -> dict[tuple[str, str], HotHandler]:
        """By method and path."""
        found: dict[tuple[str, str], HotHandler] = {}
        for kind in EVENT_KINDS:
            found["POST", f"/v1/{kind.name}"] = self._single(kind)
        for kind in (*EVENT_KINDS, CUSTOMERS):
            found["POST", f"/v1/{kind.name}/batch"] = self._batch(kind)
        found["PUT", "/v1/customers/{customer_id}"] = self._put_customer
        found["DELETE", "/v1/customers/{customer_id}"] = self._erase_customer
        found["POST", "/v1/customers/{customer_id}/consents"] = self._state_consent
        return found

    def _single(self, kind: Kind) -> HotHandler:
        reader = Reader(kind)

        async def handle(request: HotRequest) -> HotResponse:
            return await self._take_one(request, await self._admit(request, kind), reader)

        return handle

    def _batch(self, kind: Kind) -> HotHandler:
        reader = Reader(kind)

        async def handle(request: HotRequest) -> HotResponse:
            caller = await self._admit(request, kind)
            key = idempotency_key(request)
            raw = await request.body()
            at = self._reception(caller)
            stamp = stamp_of(at, request.correlation_id, current_traceparent())
            batch = _Batch(at, stamp, self._recent, self._receipts, key)
            for index, one in enumerate(reader.many(raw, at)):
                batch.add(index, one)
            take_from_both(caller.session.bucket, caller.quota, len(batch.results) - 1, taken=1)
            if batch.records:
                await self._intake.take(at.tenant.tenant, list(batch.records.values()))
                for event_id, record in batch.records.items():
                    self._recent.keep(event_id, record, at.now)
                self._sharing.note(at.tenant.tenant, event_id)
            return batch.answer()

        return handle

    async def _put_customer(self, request: HotRequest) -> HotResponse:
        """A profile that rejoins is for an erased id; any other is refused there, as soon as it is known."""
        caller = await self._admit(request, CUSTOMERS)
        customer_id = _customer_id(request)
        reader = Reader(profile_of(customer_id))
        raw = await request.body()
        rejoin = _rejoins(reader, raw)
        if not rejoin:
            await self._require_alive(request, caller, customer_id)
        answer = await self._take_one(request, caller, reader, raw)
        if rejoin:
            self._lives.rejoined(caller.tenant.tenant, customer_id)
        return answer

    async def _state_consent(self, request: HotRequest) -> HotResponse:
        """A key speaks for the shop, a customer's token for the customer alone."""
        caller = await self._admit(request, CONSENTS)
        principal = caller.session.principal
        customer_id = _customer_id(request) if principal.customer is None else _own(request, principal)
        await self._require_alive(request, caller, customer_id)
        return await self._take_one(request, caller, Reader(consent_of(customer_id)))

    async def _require_alive(self, request: HotRequest, caller: "_Caller", customer_id: str) -> None:
        session = caller.session
        await self._lives.require_alive(caller.tenant.tenant, customer_id, session.bearer(), request.correlation_id)

    async def _erase_customer(self, request: HotRequest) -> HotResponse:
        at = self._reception(await self._admit(request, CUSTOMERS))
        event = CustomerErased(occurred_at=at.now, customer_id=_customer_id(request))
        event_id = id_of(at.principal, event, None, None)
        record = stamp_of(at, request.correlation_id, current_traceparent()).record(event, event_id)
        await self._intake.take(at.tenant.tenant, [record])
        self._lives.erased(at.tenant.tenant, event.customer_id)
        return self._accepted(at.principal, event_id)

    async def _take_one(
        self, request: HotRequest, caller: "_Caller", reader: Reader, raw: bytes | None = None
    ) -> HotResponse:
        """One event; `raw` is its body, where it was read already."""
        key = idempotency_key(request)
        if raw is None:
            raw = await request.body()
        at = self._reception(caller)
        given, event = reader.one(raw, at)
        event_id = id_of(at.principal, event, given, key)
        record = stamp_of(at, request.correlation_id, current_traceparent()).record(event, event_id)
        self._recent.check(event_id, record)
        await self._intake.take(at.tenant.tenant, [record])
        self._recent.keep(event_id, record, at.now)
        self._sharing.note(at.tenant.tenant, event_id)
        return self._accepted(at.principal, event_id)

    def _accepted(self, principal: Principal, event_id: str) -> HotResponse:
        return HotResponse(
            202, _ACCEPTED % (event_id.encode(), self._receipts.status_url(principal, event_id).encode())
        )

    async def _admit(self, request: HotRequest, kind: Kind) -> "_Caller":
        """Who calls, if they may bring this kind of thing and not too much of it."""
        session = await self._credentials.session(request.headers.get(b"authorization"))
        principal = session.principal
        if principal.customer is None or not kind.customers_may:
            principal.require(CUSTOMERS_WRITE if kind in (CUSTOMERS, CONSENTS) else EVENTS_WRITE)
        TENANT.set(principal.tenant)
        tenant = self._tenants.at_once(principal.tenant) or await self._tenants.get(principal.tenant)
        quota = self._quotas.of(tenant)
        take_from_both(session.bucket, quota, 1)
        return _Caller(session, tenant, quota)

    def _reception(self, caller: "_Caller") -> Reception:
        principal, now = caller.session.principal, self._clock.now()
        return Reception.at(caller.tenant, principal, now, self._future_max_s, smtputf8=self._smtputf8)


class _Caller(NamedTuple):
    """Who brings something, for whom, and what the tenant has left to bring."""

    session: Session
    tenant: Tenant
    quota: TokenBucket


class _Batch:
    """The items of one request: what goes to Kafka, and the answer to each."""

    __slots__ = ("_at", "_key", "_receipts", "_recent", "_rejected", "_stamp", "records", "results")

    def __init__(self, at: Reception, stamp: Stamp, recent: RecentEvents, receipts: Receipts, key: str | None) -> None:
        self._at, self._stamp, self._recent, self._receipts, self._key = at, stamp, recent, receipts, key
        self._rejected = 0
        self.records: dict[str, Record] = {}
        self.results: list[bytes] = []

    def add(self, index: int, one: Read | TreueError) -> None:
        """Take one item: a repetition of another one is that event once more."""
        if isinstance(one, TreueError):
            self._reject(index, one)
            return
        given, event = one
        event_id = id_of(self._at.principal, event, given, f"{self._key}/{index}" if self._key else None)
        record = self._stamp.record(event, event_id)
        try:
            self._recent.check(event_id, record)
            if self.records.setdefault(event_id, record).value != record.value:
                raise conflict(event_id, self._at.now)
        except ConflictError as error:
            self._reject(index, error)
            return
        self.results.append(_RESULT % (index, event_id.encode(), self._status_url(event_id)))

    def _status_url(self, event_id: str) -> bytes:
        """For a customer, who cannot make it of the event's id."""
        if self._at.principal.customer is None:
            return b""
        return b',"status_url":"%b"' % self._receipts.status_url(self._at.principal, event_id).encode()

    def _reject(self, index: int, error: TreueError) -> None:
        self._rejected += 1
        self.results.append(b'{"index":%d,"error":%b}' % (index, problem_response(error)[2]))

    def answer(self) -> HotResponse:
        """What became of each item, in their order."""
        counts = (len(self.results) - self._rejected, self._rejected, b",".join(self.results))
        return HotResponse(202, b'{"accepted":%d,"rejected":%d,"results":[%b]}' % counts)


def _rejoins(reader: Reader, raw: bytes) -> bool:
    """Whether the profile says so; one that cannot be read by the fast way is refused later, or says it by name."""
    read = reader.fast(raw)
    return b'"rejoin"' in raw if read is None else bool(read[0].rejoin)


def _own(request: HotRequest, principal: Principal) -> str:
    return principal.customer_for(request.params["customer_id"])


def _customer_id(request: HotRequest) -> str:
    customer_id = request.params["customer_id"]
    if not rules.is_customer_id(customer_id):
        rule = "looks_like_email" if "@" in customer_id else "customer_id"
        detail = f"A customer id must match {rules.CUSTOMER_ID}, and must not be 'me' nor look like an e-mail address."
        raise unacceptable([Fault("/customer_id", rule, detail, customer_id)])
    return customer_id
