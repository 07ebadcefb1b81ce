"""The ledger's rows: entries, lots, allocations."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from services.points.domain.ledger import Entry, Lot
from services.points.domain.wallet import Wallet
from shared.db.transaction import Transaction

_LOT = "id, entry_id, amount, remaining, occurred_at, activate_at, activated, held, expires_at"
_LOTS = f"""
    SELECT l.* FROM unnest($1::text[], $2::text[], $3::uuid[]) AS wanted (tenant, customer_id, id) CROSS JOIN LATERAL (
        SELECT tenant, customer_id, {_LOT} FROM lot l
        WHERE l.tenant = wanted.tenant AND l.customer_id = wanted.customer_id AND l.id = wanted.id OFFSET 0
    ) AS l
"""  # noqa: S608 - column names of ours
_FREE_LOTS = f"""
    SELECT l.* FROM unnest($1::text[], $2::text[]) AS wanted (tenant, customer_id) CROSS JOIN LATERAL (
        SELECT tenant, customer_id, {_LOT} FROM lot l
        WHERE l.tenant = wanted.tenant AND l.customer_id = wanted.customer_id AND l.remaining > l.held OFFSET 0
    ) AS l
"""  # noqa: S608 - column names of ours
_LOT_COLUMNS = ("tenant", "customer_id", *_LOT.split(", "))
_TOUCH = """
    UPDATE lot AS l SET remaining = n.remaining, held = n.held, activated = n.activated
    FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::boolean[])
        AS n (tenant, customer_id, id, remaining, held, activated)
    WHERE l.tenant = n.tenant AND l.customer_id = n.customer_id AND l.id = n.id
"""
_ENTRY_COLUMNS = (
    "id", "tenant", "customer_id", "kind", "points", "debt", "balance_after", "event_id", "order_id", "occurred_at",
    "recorded_at", "wallet_version", "programme_version", "reason", "detail",
)  # fmt: skip
_ALLOCATION_COLUMNS = ("tenant", "entry_id", "lot_id", "customer_id", "points")
_encode = msgspec.json.Encoder().encode


async def load_lots(tx: Transaction, lots: Sequence[tuple[Wallet, UUID]]) -> None:
    """Give these wallets these of their lots, as far as they exist."""
    await _load(tx, _LOTS, [(wallet, lot_id) for wallet, lot_id in lots])


async def load_free_lots(tx: Transaction, wallets: Sequence[Wallet]) -> None:
    """Give these wallets all lots with free points."""
    await _load(tx, _FREE_LOTS, [(wallet,) for wallet in wallets])


async def _load(tx: Transaction, query: str, wanted: Sequence[tuple[Any, ...]]) -> None:
    wallets = {(each[0].tenant, each[0].customer_id): each[0] for each in wanted}
    keys = [(each[0].tenant, each[0].customer_id, *each[1:]) for each in wanted]
    for row in await tx.raw.fetch(query, *zip(*keys, strict=True)):
        lot = Lot(*row[2:])
        wallets[row[0], row[1]].lots[lot.id] = lot


async def write(tx: Transaction, wallets: Sequence[Wallet]) -> None:
    """Add what has happened to these wallets since they were loaded."""
    entries = [_entry(entry, tx) for wallet in wallets for entry in wallet.entries]
    if not entries:
        return
    lots = [_lot(wallet, lot) for wallet in wallets for lot in wallet.new_lots]
    allocations = [
        (wallet.tenant, each.entry_id, each.lot_id, wallet.customer_id, each.points)
        for wallet in wallets
        for each in wallet.allocations
    ]
    copy = tx.raw.copy_records_to_table
    await copy("entry", records=entries, columns=_ENTRY_COLUMNS)
    if lots:
        await copy("lot", records=lots, columns=_LOT_COLUMNS)
    if allocations:
        await copy("allocation", records=allocations, columns=_ALLOCATION_COLUMNS)
    await _touch(tx, wallets)


async def _touch(tx: Transaction, wallets: Sequence[Wallet]) -> None:
    """Write what is left in lots that were there before."""
    rows = []
    for wallet in wallets:
        if wallet.touched:
            new = {lot.id for lot in wallet.new_lots}
            rows += [
                (wallet.tenant, wallet.customer_id, lot.id, lot.remaining, lot.held, lot.activated)
                for lot in wallet.touched.values()
                if lot.id not in new
            ]
    if rows:
        await tx.raw.execute(_TOUCH, *zip(*rows, strict=True))


def _entry(entry: Entry, tx: Transaction) -> tuple[Any, ...]:
    cause = entry.cause
    return (
        entry.id, entry.tenant, entry.customer_id, entry.kind, entry.points, entry.debt, entry.balance_after,
        cause.event_id, cause.order_id, cause.occurred_at, tx.now, entry.wallet_version, cause.programme_version,
        cause.reason, _encode(entry.detail).decode(),
    )  # fmt: skip


def _lot(wallet: Wallet, lot: Lot) -> tuple[Any, ...]:
    return (
        wallet.tenant, wallet.customer_id, lot.id, lot.entry_id, lot.amount, lot.remaining, lot.occurred_at,
        lot.activate_at, lot.activated, lot.held, lot.expires_at,
    )  # fmt: skip
