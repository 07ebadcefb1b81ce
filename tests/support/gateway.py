"""A gateway on real Kafka and Postgres, with stand-ins for the services behind it: small HTTP servers that verify the
gateway's tokens as the real ones do, remember what they were asked, and answer what a test tells them."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.gateway.bootstrap import PROCESS, run_api, run_worker
from services.gateway.settings import GatewaySettings
from shared.auth.principal import Principal
from shared.auth.tokens import TokenVerifier
from shared.clock import SystemClock
from shared.events.envelope import Envelope, Record, record_of
from shared.events.programmes import ProgrammeUpdated
from shared.http.app import create_app
from shared.http.caller import hot_caller
from shared.http.hot import HotRequest, HotResponse
from shared.http.server import serve
from shared.ids import new_id
from shared.messaging.producer import Producer
from tests.support.eventually import eventually, until
from tests.support.stack import Database, Parts

HOST = "127.0.0.1"
ADMIN_KEY = "treue_admin_of-the-tests"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        port: int = one.getsockname()[1]
        return port


@dataclass(frozen=True)
class KeyPair:
    private: str
    public: str

    @classmethod
    def fresh(cls) -> "KeyPair":
        key = Ed25519PrivateKey.generate()
        return cls(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        )


@dataclass(frozen=True)
class Asked:
    """What a stand-in was asked."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    principal: Principal


@dataclass
class StandIn:
    """One service behind the gateway."""

    name: str
    port: int
    public_key: str
    asked: list[Asked] = field(default_factory=list)
    answers: dict[tuple[str, str], tuple[int, dict[str, str], Any]] = field(default_factory=dict)
    tenants: set[str] = field(default_factory=set)
    delay_s: float = 0.0
    waits: asyncio.Event | None = None  # until it is set, who asks for an event is kept waiting
    waiting: int = 0

    def tell(self, method: str, path: str, body: Any, status: int = 200, **headers: str) -> None:
        """Answer this from now on."""
        self.answers[method, path] = (status, headers, body)

    async def run(self, stop: asyncio.Event) -> None:
        verifier = TokenVerifier(self.public_key, SystemClock())

        async def answer(request: HotRequest) -> HotResponse:
            principal = hot_caller(request, verifier)
            headers = {name.decode(): value.decode("latin-1") for name, value in request.headers.items()}
            query = request.scope["query_string"].decode()
            body = await request.body(content_type=None)
            path = request.scope["raw_path"].decode()
            self.asked.append(Asked(request.method, path, query, headers, body, principal))
            await asyncio.sleep(self.delay_s)
            if self.waits is not None and "after_event" in query:
                self.waiting += 1
                await self.waits.wait()
                self.waiting -= 1
            return await self.answer(request.method, path, body, principal)

        app = create_app(
            service=f"stand-in-{self.name}", version="1", title=self.name,
            hot={(method, "/{rest:path}"): answer for method in METHODS},
        )  # fmt: skip
        await serve(app, HOST, self.port, 1, stop, notice_s=0)

    async def answer(self, method: str, path: str, body: bytes, principal: Principal) -> HotResponse:
        if path.startswith("/internal/tenants/"):
            known = path.rpartition("/")[2] in self.tenants
            return HotResponse(200 if known else 404, b"{}")
        status, headers, told = self.answers.get((method, path), (404, {}, {"status": 404, "code": "told_nothing"}))
        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        kind = (b"content-type", b"application/json" if status < 400 else b"application/problem+json")
        return HotResponse(status, b"" if status == 304 else json.dumps(told).encode(), [kind, *raw])


@dataclass
class Points(StandIn):
    """The stand-in for points keeps programmes and publishes them, as the real one does."""

    producer: Producer | None = None
    programmes: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def answer(self, method: str, path: str, body: bytes, principal: Principal) -> HotResponse:
        if path != "/v1/programme" or (method, path) in self.answers:
            return await super().answer(method, path, body, principal)
        if method == "PUT":
            version = self.programmes.get(principal.tenant, {"version": 0})["version"] + 1
            self.programmes[principal.tenant] = json.loads(body) | {"version": version}
            self.tenants.add(principal.tenant)
            await self.publish(principal.tenant)
        found = self.programmes.get(principal.tenant)
        return HotResponse(200 if found else 404, json.dumps(found or {}).encode())

    async def publish(self, tenant: str) -> None:
        programme = self.programmes[tenant]
        now = datetime.now(UTC)  # noqa: TID251
        event = ProgrammeUpdated(
            occurred_at=now, effective_from=now, version=programme["version"], name=programme["name"],
            currency=programme["currency"], time_zone=programme["time_zone"], locale=programme["locale"],
            points_per_unit=programme["points_per_unit"], rounding="floor", return_policy="recompute",
        )  # fmt: skip
        envelope = Envelope(
            id=new_id(), type=event.TYPE, version=1, tenant=tenant, source="treue/points", time=now
        )  # fmt: skip
        assert self.producer is not None
        await self.producer.send([record_of(envelope, event)], deadline_s=10)


@dataclass
class Shop:
    """A tenant as its own server sees the gateway."""

    tenant: str
    api_key: str
    http: httpx.AsyncClient

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.api_key}"} | options.pop("headers", {})
        if body is not None:
            options["json"] = body
        return await self.http.request(method, path, headers=headers, **options)

    async def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        return await self.call("POST", path, body, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.call("GET", path, **options)


@dataclass
class Gateway:
    """The gateway under test, and what is around it."""

    settings: GatewaySettings
    database: Database
    points: Points
    notifications: StandIn
    metrics: StandIn
    http: httpx.AsyncClient
    worker_port: int

    @property
    def operator(self) -> Shop:
        return Shop("", ADMIN_KEY, self.http)

    async def shop(self, currency: str = "EUR", **wanted: Any) -> Shop:
        """A fresh tenant with its first key."""
        name = f"shop-{new_id().hex}"
        for service in (self.notifications, self.metrics):
            service.tenants.add(name)
        made = await self.operator.post("/v1/tenants", {"name": name, "currency": currency} | wanted)
        assert made.status_code == 201, made.text
        return Shop(name, made.json()["api_key"], self.http)

    async def records(self, topic: str, tenant: str, count: int, within_s: float = 10) -> list[Record]:
        """The first records of this tenant in a topic, once there are `count`."""
        found = await self._found(topic, tenant, count, within_s)
        return [Record(topic, record.key, record.value, list(record.headers)) for record in found]

    async def places(self, topic: str, tenant: str, count: int) -> list[dict[str, Any]]:
        """Where they stand, in the order of partition and offset."""
        found = await self._found(topic, tenant, count, 10)
        return [
            {"topic": topic, "part": record.partition, "offset": record.offset}
            for record in sorted(found, key=lambda record: (record.partition, record.offset))
        ]

    async def _found(self, topic: str, tenant: str, count: int, within_s: float) -> list[Any]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.kafka_bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        found: list[Any] = []
        try:
            partitions = await eventually(lambda: _partitions(consumer, topic))
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)

            async def there() -> bool:
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    found.extend(one for one in batch if dict(one.headers).get("ce_tenant") == tenant.encode())
                return len(found) >= count

            await until(there, within_s=within_s)
        finally:
            await consumer.stop()
        return found


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    found = consumer.partitions_for_topic(topic)
    if not found:
        await consumer._client.force_metadata_update()
        raise LookupError(topic)
    return [TopicPartition(topic, number) for number in sorted(found)]


@contextlib.asynccontextmanager
async def running_gateway(parts: Parts, database: Database, **overrides: Any) -> AsyncIterator[Gateway]:
    """A gateway, api and worker, on this database."""
    keys = KeyPair.fresh()
    ports = {name: free_port() for name in ("api", "worker", "points", "notifications", "metrics")}
    settings = GatewaySettings.model_validate(
        {
            "database_url": database.app,
            "migration_url": database.owner,
            "kafka_bootstrap": parts.kafka_bootstrap,
            "internal_public_key": keys.public,
            "signing_key": keys.private,
            "key_pepper": "pepper",
            "admin_key": ADMIN_KEY,
            "port": ports["api"],
            "worker_port": ports["worker"],
            "shutdown_timeout_s": 2.0,
            "consumer_group": f"gateway-{new_id().hex}",
            "tenant_share_least": 1.0,  # the stand-in for points knows no event: all would seem to be behind
        }
        | {f"{name}_url": f"http://{HOST}:{ports[name]}" for name in ("points", "notifications", "metrics")}
        | overrides
    )
    await PROCESS.migrate(settings)
    producer = Producer(settings.kafka_bootstrap, client_id="stand-in")
    await producer.start()
    points = Points("points", ports["points"], keys.public, producer=producer)
    notifications = StandIn("notifications", ports["notifications"], keys.public)
    metrics = StandIn("metrics", ports["metrics"], keys.public)
    stop = asyncio.Event()
    mains = (points.run, notifications.run, metrics.run)
    tasks = [asyncio.create_task(main(stop)) for main in mains]
    tasks += [asyncio.create_task(run_api(settings, stop)), asyncio.create_task(run_worker(settings, stop))]
    async with httpx.AsyncClient(
        base_url=f"http://{HOST}:{ports['api']}", timeout=30, limits=httpx.Limits(max_connections=None)
    ) as http:
        gateway = Gateway(settings, database, points, notifications, metrics, http, ports["worker"])
        try:
            await eventually(lambda: _ready(gateway, tasks), within_s=30)
            await until(lambda: producer.ready)
            yield gateway
        finally:
            stop.set()
            await asyncio.wait(tasks, timeout=20)
            await producer.stop()
    for task in tasks:
        task.result()


async def _ready(gateway: Gateway, tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        if task.done():
            task.result()
    for url in ("/readyz", f"http://{HOST}:{gateway.worker_port}/readyz"):
        (await gateway.http.get(url)).raise_for_status()
