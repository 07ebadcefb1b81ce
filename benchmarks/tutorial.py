"""The idiom that most tutorials teach, over the same records: an aiokafka loop, one SQLAlchemy ORM transaction for each
event. `python -m benchmarks.tutorial DATABASE KAFKA COUNT` prints the events a second.

It does what it can to be right: it remembers events, keeps a wallet and a ledger, writes an outbox row, and commits to
Kafka after the database. Returns, fences, parked events, dead letters and replays it has none.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from sqlalchemy import BigInteger, ForeignKey, func
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.ids import new_id


class Base(DeclarativeBase):
    pass


class Seen(Base):
    __tablename__ = "tutorial_seen"
    event_id: Mapped[UUID] = mapped_column(primary_key=True)


class Wallet(Base):
    __tablename__ = "tutorial_wallet"
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger, default=0)


class Entry(Base):
    __tablename__ = "tutorial_entry"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("tutorial_wallet.customer_id"), index=True)
    order_id: Mapped[str]
    points: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Outgoing(Base):
    __tablename__ = "tutorial_outbox"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    payload: Mapped[str]


async def post(session: AsyncSession, event_id: UUID, value: bytes) -> None:
    """One event, one transaction."""
    async with session.begin():
        if await session.get(Seen, event_id) is not None:
            return
        event = json.loads(value)
        customer_id, points = event["customer_id"], event["total_minor"] // 100
        wallet = await session.get(Wallet, customer_id, with_for_update=True)
        if wallet is None:
            wallet = Wallet(customer_id=customer_id, points=0)
            session.add(wallet)
            await session.flush()
        wallet.points += points
        session.add_all(
            [
                Seen(event_id=event_id),
                Entry(customer_id=customer_id, order_id=event["order_id"], points=points),
                Outgoing(payload=json.dumps({"customer_id": customer_id, "points": points})),
            ]
        )


@contextlib.asynccontextmanager
async def sessions_on(database: str) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """Sessions on this database, with the tables made."""
    engine = create_async_engine(database.replace("postgresql://", "postgresql+asyncpg://"))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield async_sessionmaker(engine, expire_on_commit=False)
    finally:
        await engine.dispose()


async def main(database: str, kafka: str, count: int) -> float:
    """Events a second."""
    async with sessions_on(database) as sessions:
        return await _consume(sessions, kafka, count)


async def _consume(sessions: async_sessionmaker[AsyncSession], kafka: str, count: int) -> float:
    consumer = AIOKafkaConsumer(
        "treue.purchases", bootstrap_servers=kafka, group_id=f"tutorial-{new_id().hex}", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    await consumer.start()
    started, done = 0.0, 0
    try:
        async for message in consumer:
            async with sessions() as session:
                await post(session, UUID(dict(message.headers)["ce_id"].decode()), message.value)
            done += 1
            if done % 100 == 0:
                await consumer.commit()
            started = started or time.monotonic()
            if done > count:
                break
    finally:
        await consumer.stop()
    return (done - 1) / (time.monotonic() - started)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
