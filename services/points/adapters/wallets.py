"""Wallets and customers as they stand."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from services.points.adapters import ledger
from services.points.application.ports import CustomerKey, Origin
from services.points.domain.ledger import Lot
from services.points.domain.wallet import Wallet
from shared.db import columns
from shared.db.transaction import Transaction

_STATE = "posted, pending, held, debt, lifetime_earned, version, next_activation_at, newest_entry_ms"
_LOCK = f"""
    SELECT w.* FROM unnest($1::text::text[], $2::text::text[]) AS wanted (tenant, customer_id) CROSS JOIN LATERAL (
        SELECT tenant, customer_id, {_STATE}
        FROM wallet w WHERE w.tenant = wanted.tenant AND w.customer_id = wanted.customer_id FOR UPDATE
    ) AS w
"""  # noqa: S608 - column names of ours
_COLUMNS = ("tenant", "customer_id", *_STATE.split(", "))
_KEY: tuple[columns.Kind, ...] = (columns.texts, columns.texts)
_KINDS = (*_KEY, *[columns.numbers] * 6, columns.times, columns.numbers)
_UPDATE = """
    UPDATE wallet AS w SET posted = n.posted, pending = n.pending, held = n.held, debt = n.debt,
        lifetime_earned = n.lifetime_earned, version = n.version, next_activation_at = n.next_activation_at,
        newest_entry_ms = n.newest_entry_ms
    FROM unnest($1::text::text[], $2::text::text[], $3::text::bigint[], $4::text::bigint[], $5::text::bigint[],
        $6::text::bigint[], $7::text::bigint[], $8::text::bigint[], $9::text::timestamptz[], $10::text::bigint[])
        AS n (tenant, customer_id, posted, pending, held, debt, lifetime_earned, version, next_activation_at,
            newest_entry_ms)
    WHERE w.tenant = n.tenant AND w.customer_id = n.customer_id
"""
_KNOWN = """
    INSERT INTO customer (tenant, customer_id, known_since)
    SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
    ON CONFLICT DO NOTHING
"""
_EARNED = """
    SELECT e.* FROM unnest($1::text[], $2::text[]) AS n (tenant, customer_id) CROSS JOIN LATERAL (
        SELECT tenant, customer_id, sum(points)::bigint FROM entry e
        WHERE (e.tenant, e.customer_id) = (n.tenant, n.customer_id) AND e.kind = 'earned' GROUP BY tenant, customer_id
    ) AS e
"""
_PSEUDONYMISE = "SELECT pseudonymise_v1($1, $2, $3, $4)"
_REJOIN = "UPDATE customer SET erased_at = NULL WHERE tenant = $1 AND customer_id = $2"
_EMPTY_WALLETS = """
    INSERT INTO wallet (tenant, customer_id) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING
"""
_by_key = attrgetter("tenant", "customer_id")
_DUE = """
    SELECT tenant, customer_id FROM wallet WHERE next_activation_at <= $1 ORDER BY next_activation_at LIMIT $2
"""
_DUE_LOTS = """
    SELECT l.id, l.entry_id, l.amount, l.remaining, l.occurred_at, l.activate_at, l.activated, l.held, l.expires_at,
        e.event_id, e.order_id, e.programme_version
    FROM lot l JOIN entry e ON e.tenant = l.tenant AND e.id = l.entry_id
    WHERE l.tenant = $1 AND l.customer_id = $2 AND NOT l.activated AND l.activate_at <= $3 AND l.remaining > 0
    ORDER BY l.activate_at, l.entry_id
"""
_SCHEDULE = """
    UPDATE wallet AS w SET next_activation_at = (
        SELECT min(l.activate_at) FROM lot l
        WHERE l.tenant = w.tenant AND l.customer_id = w.customer_id AND NOT l.activated AND l.remaining > 0)
    FROM unnest($1::text[], $2::text[]) AS n (tenant, customer_id)
    WHERE w.tenant = n.tenant AND w.customer_id = n.customer_id
"""


class WalletTables:
    """The tables `wallet` and `customer`; the ledger's rows are written through ledger.py."""

    async def lock(self, tx: Transaction, keys: Mapping[CustomerKey, datetime]) -> dict[CustomerKey, Wallet]:
        rows = await tx.raw.fetch(_LOCK, *columns.of(sorted(keys), *_KEY))
        found = {(row[0], row[1]): Wallet(*row) for row in rows}
        for key, heard_at in keys.items():
            if key not in found:
                found[key] = Wallet(*key, known_since=heard_at)
        return found

    async def load_lots(self, tx: Transaction, wallets: Sequence[Wallet]) -> None:
        await ledger.load_free_lots(tx, wallets)

    async def load_lots_by_id(self, tx: Transaction, lots: Sequence[tuple[Wallet, UUID]]) -> None:
        await ledger.load_lots(tx, lots)

    async def save(self, tx: Transaction, wallets: Sequence[Wallet]) -> None:
        ordered = sorted(wallets, key=_by_key)
        fresh = [each for each in ordered if each.known_since is not None]
        if fresh:
            known = [(each.tenant, each.customer_id, each.known_since) for each in fresh]
            await tx.raw.execute(_KNOWN, *zip(*known, strict=True))
            await tx.raw.copy_records_to_table("wallet", records=[_row(each) for each in fresh], columns=_COLUMNS)
        changed = [_row(each) for each in ordered if each.known_since is None and each.entries]
        if changed:
            await tx.raw.execute(_UPDATE, *columns.of(changed, *_KINDS))
        await ledger.write(tx, ordered)

    async def earned_in_all(self, tx: Transaction, keys: Collection[CustomerKey]) -> dict[CustomerKey, int]:
        rows = await tx.raw.fetch(_EARNED, *zip(*sorted(keys), strict=True))
        return dict.fromkeys(keys, 0) | {(row[0], row[1]): row[2] for row in rows}

    async def welcome(self, tx: Transaction, strangers: Mapping[CustomerKey, datetime]) -> None:
        rows = [(*key, strangers[key]) for key in sorted(strangers)]
        tenants, customer_ids, heard_at = zip(*rows, strict=True)
        await tx.raw.execute(_KNOWN, tenants, customer_ids, heard_at)
        await tx.raw.execute(_EMPTY_WALLETS, tenants, customer_ids)

    async def pseudonymise(self, tx: Transaction, key: CustomerKey, pseudonym: str, at: datetime) -> None:
        await tx.raw.execute(_PSEUDONYMISE, *key, pseudonym, at)

    async def rejoin(self, tx: Transaction, key: CustomerKey) -> None:
        await tx.raw.execute(_REJOIN, *key)
        await tx.raw.execute(_EMPTY_WALLETS, *([each] for each in key))

    async def due(self, tx: Transaction, now: datetime, limit: int) -> list[CustomerKey]:
        return [(row[0], row[1]) for row in await tx.raw.fetch(_DUE, now, limit)]

    async def due_lots(self, tx: Transaction, wallet: Wallet, now: datetime) -> list[tuple[Lot, Origin]]:
        rows = await tx.raw.fetch(_DUE_LOTS, wallet.tenant, wallet.customer_id, now)
        return [(Lot(*row[:9]), Origin(*row[9:])) for row in map(tuple, rows)]

    async def schedule_next_activation(self, tx: Transaction, keys: Collection[CustomerKey]) -> None:
        await tx.raw.execute(_SCHEDULE, *zip(*keys, strict=True))


def _row(wallet: Wallet) -> tuple[Any, ...]:
    return (
        wallet.tenant, wallet.customer_id, wallet.posted, wallet.pending, wallet.held, wallet.debt,
        wallet.lifetime_earned, wallet.version, wallet.next_activation_at, wallet.newest_entry_ms,
    )  # fmt: skip
