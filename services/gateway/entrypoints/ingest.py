"""Where events come in: raw handlers, since their cost is the platform's throughput."""

from services.gateway.auth.credentials import Credentials
from services.gateway.auth.session import Session
from services.gateway.entrypoints.requests import idempotency_key
from services.gateway.ingest import rules
from services.gateway.ingest.intake import Intake
from services.gateway.ingest.kinds import CUSTOMERS, EVENT_KINDS, Kind, profile_of
from services.gateway.ingest.reading import Reader
from services.gateway.ingest.reception import Reception
from services.gateway.ingest.stamping import id_of, stamp_of
from services.gateway.ingest.strictly import unacceptable
from services.gateway.tenants.directory import TenantDirectory
from shared.auth.principal import Principal
from shared.auth.scopes import CUSTOMERS_WRITE, EVENTS_WRITE
from shared.clock import Clock
from shared.errors import Fault, TreueError
from shared.events.customers import CustomerErased
from shared.events.envelope import Record
from shared.http.hot import HotHandler, HotRequest, HotResponse
from shared.http.problems import problem_response
from shared.observability.context import TENANT
from shared.observability.tracing import current_traceparent

_ACCEPTED = b'{"event_id":"%b","status":"accepted","status_url":"/v1/events/%b"}'


class IngestRoutes:
    """The handlers, with what they need."""

    def __init__(
        self, credentials: Credentials, tenants: TenantDirectory, intake: Intake, clock: Clock, future_max_s: float
    ) -> None:
        self._credentials, self._tenants, self._intake = credentials, tenants, intake
        self._clock, self._future_max_s = clock, future_max_s

    def routes(self) -> dict[tuple[str, str], HotHandler]:
        """By method and path."""
        found: dict[tuple[str, str], HotHandler] = {}
        for kind in EVENT_KINDS:
            found["POST", f"/v1/{kind.name}"] = self._single(kind)
        for kind in (*EVENT_KINDS, CUSTOMERS):
            found["POST", f"/v1/{kind.name}/batch"] = self._batch(kind)
        found["PUT", "/v1/customers/{customer_id}"] = self._put_customer
        found["DELETE", "/v1/customers/{customer_id}"] = self._erase_customer
        return found

    def _single(self, kind: Kind) -> HotHandler:
        reader = Reader(kind)

        async def handle(request: HotRequest) -> HotResponse:
            session = await self._session(request, kind)
            return await self._take_one(request, session, reader)

        return handle

    def _batch(self, kind: Kind) -> HotHandler:
        reader = Reader(kind)

        async def handle(request: HotRequest) -> HotResponse:
            session = await self._session(request, kind)
            key = idempotency_key(request)
            raw = await request.body()
            at = await self._reception(session.principal)
            records: list[Record] = []
            results: list[bytes] = []
            stamp = stamp_of(at, request.correlation_id, current_traceparent())
            for index, one in enumerate(reader.many(raw, at)):
                if isinstance(one, TreueError):
                    results.append(b'{"index":%d,"error":%b}' % (index, problem_response(one)[2]))
                    continue
                event_id = id_of(at.tenant.tenant, one[0], f"{key}/{index}" if key else None)
                records.append(stamp.record(one[1], event_id))
                results.append(b'{"index":%d,"event_id":"%b"}' % (index, event_id.encode()))
            session.bucket.take(len(results) - 1)
            if records:
                await self._intake.take(at.tenant.tenant, records)
            counts = (len(records), len(results) - len(records), b",".join(results))
            return HotResponse(202, b'{"accepted":%d,"rejected":%d,"results":[%b]}' % counts)

        return handle

    async def _put_customer(self, request: HotRequest) -> HotResponse:
        session = await self._session(request, CUSTOMERS)
        return await self._take_one(request, session, Reader(profile_of(_customer_id(request))))

    async def _erase_customer(self, request: HotRequest) -> HotResponse:
        session = await self._session(request, CUSTOMERS)
        at = await self._reception(session.principal)
        event = CustomerErased(occurred_at=at.now, customer_id=_customer_id(request))
        event_id = id_of(at.tenant.tenant, None, None)
        record = stamp_of(at, request.correlation_id, current_traceparent()).record(event, event_id)
        await self._intake.take(at.tenant.tenant, [record])
        return _accepted(event_id)

    async def _take_one(self, request: HotRequest, session: Session, reader: Reader) -> HotResponse:
        key = idempotency_key(request)
        raw = await request.body()
        at = await self._reception(session.principal)
        given, event = reader.one(raw, at)
        event_id = id_of(at.tenant.tenant, given, key)
        record = stamp_of(at, request.correlation_id, current_traceparent()).record(event, event_id)
        await self._intake.take(at.tenant.tenant, [record])
        return _accepted(event_id)

    async def _session(self, request: HotRequest, kind: Kind) -> Session:
        """Who calls, if they may bring this kind of thing and not too much of it."""
        session = await self._credentials.session(request.headers.get(b"authorization"))
        principal = session.principal
        if principal.customer is None or not kind.customers_may:
            principal.require(CUSTOMERS_WRITE if kind is CUSTOMERS else EVENTS_WRITE)
        TENANT.set(principal.tenant)
        session.bucket.take(1)
        return session

    async def _reception(self, principal: Principal) -> Reception:
        tenant = self._tenants.at_once(principal.tenant) or await self._tenants.get(principal.tenant)
        return Reception.at(tenant, principal, self._clock.now(), self._future_max_s)


def _accepted(event_id: str) -> HotResponse:
    name = event_id.encode()
    return HotResponse(202, _ACCEPTED % (name, name))


def _customer_id(request: HotRequest) -> str:
    customer_id = request.params["customer_id"]
    if not rules.is_customer_id(customer_id):
        rule = "looks_like_email" if "@" in customer_id else "customer_id"
        detail = f"A customer id must match {rules.CUSTOMER_ID}, and must not be 'me' nor look like an e-mail address."
        raise unacceptable([Fault("/customer_id", rule, detail, customer_id)])
    return customer_id
