"""The worker as it really runs: a process of its own between the real Kafka and the real Postgres."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deploy.local.folder import PROJECT
from shared.clock import SystemClock
from shared.events.contract import Event
from shared.events.envelope import Envelope, record_of
from shared.ids import new_id
from shared.messaging.producer import Producer
from tests.support.eventually import until
from tests.support.stack import Database, Parts


@dataclass
class Worker:
    """Starts and ends the process; `port` is the mail server's."""

    parts: Parts
    database: Database
    port: int

    @property
    def environment(self) -> dict[str, str]:
        key = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return os.environ | {
            "KAFKA_BOOTSTRAP": self.parts.kafka_bootstrap,
            "INTERNAL_PUBLIC_KEY": key.decode(),
            "NOTIFICATIONS_DATABASE_URL": self.database.app,
            "NOTIFICATIONS_MIGRATION_URL": self.database.owner,
            "NOTIFICATIONS_SMTP_HOST": "127.0.0.1",
            "NOTIFICATIONS_SMTP_PORT": str(self.port),
            "NOTIFICATIONS_SENDER_ADDRESS": "points@treue.example",
            "NOTIFICATIONS_LEASE_S": "10",
            "NOTIFICATIONS_SMTP_TIMEOUT_S": "5",
            "NOTIFICATIONS_RETRY_DELAYS_S": "[0.1, 0.1]",
        }

    async def run(self, role: str) -> asyncio.subprocess.Process:
        command = (sys.executable, "-m", "services.notifications", role)
        return await asyncio.create_subprocess_exec(*command, env=self.environment, cwd=PROJECT)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A worker during the block; it must end in order, within its 20 seconds."""
        process = await self.run("worker")
        try:
            yield
            process.terminate()
            assert await asyncio.wait_for(process.wait(), timeout=20) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def publish(self, tenant: str, *events: Event) -> list[UUID]:
        """Onto Kafka, as the gateway and points do."""
        producer = Producer(self.parts.kafka_bootstrap, client_id="test")
        await producer.start()
        await until(lambda: producer.ready)
        ids, now = [new_id() for _ in events], SystemClock().now()
        try:
            for event, event_id in zip(events, ids, strict=True):
                envelope = Envelope(
                    id=event_id, type=event.TYPE, version=event.VERSION, tenant=tenant, source="test", time=now
                )
                await producer.send([record_of(envelope, event)], deadline_s=10)
        finally:
            await producer.stop()
        return ids
