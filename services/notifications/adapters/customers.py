"""Programmes, profiles, consents and refused addresses in Postgres. Statements are bulk: one round trip per table."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from uuid import UUID

from services.notifications.application.ports import ConsentChange, Key
from services.notifications.domain.customer import Customer, Profile, ProfileState
from services.notifications.domain.programme import Programme
from shared.db.transaction import Transaction

_PROGRAMMES = """
    SELECT tenant, version, name, currency, time_zone, locale FROM programme WHERE tenant = any($1)
"""
_SAVE_PROGRAMME = """
    INSERT INTO programme (tenant, version, name, currency, time_zone, locale) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant) DO UPDATE SET version = excluded.version, name = excluded.name,
        currency = excluded.currency, time_zone = excluded.time_zone, locale = excluded.locale
    WHERE programme.version < excluded.version
"""
# Asked key by key, in the order of the arrays, whatever the planner thinks of the table.
_ASKED = """
    SELECT p.* FROM unnest($1::text[], $2::text[]) AS asked (tenant, customer_id) CROSS JOIN LATERAL (
        SELECT tenant, customer_id, state, email, name, locale, time_zone, kind FROM profile p
        WHERE (p.tenant, p.customer_id) = (asked.tenant, asked.customer_id) {how}
    ) AS p
"""
_PROFILES = _ASKED.format(how="OFFSET 0")
_LOCK = _ASKED.format(how="FOR NO KEY UPDATE")
_CREATE = """
    INSERT INTO profile (tenant, customer_id, changed_at)
    SELECT tenant, customer_id, $3 FROM unnest($1::text[], $2::text[]) AS new (tenant, customer_id)
    ON CONFLICT DO NOTHING
"""
_SAVE_PROFILES = """
    UPDATE profile p SET state = new.state, email = new.email, name = new.name, locale = new.locale,
        time_zone = new.time_zone, kind = new.kind, changed_at = $9
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
        AS new (tenant, customer_id, state, email, name, locale, time_zone, kind)
    WHERE p.tenant = new.tenant AND p.customer_id = new.customer_id
"""
_CONSENTS = """
    SELECT c.* FROM unnest($1::text[], $2::text[]) AS asked (tenant, customer_id) CROSS JOIN LATERAL (
        SELECT DISTINCT ON (channel, purpose) tenant, customer_id, channel, purpose, granted FROM consent c
        WHERE (c.tenant, c.customer_id) = (asked.tenant, asked.customer_id) ORDER BY channel, purpose, seq DESC
    ) AS c
"""
_CONSENT = ("tenant", "customer_id", "channel", "purpose", "granted", "since", "event_id", "recorded_at")
_SUPPRESSED = """
    SELECT s.* FROM unnest($1::text[], $2::bytea[]) AS asked (tenant, address_hash) CROSS JOIN LATERAL (
        SELECT tenant, address_hash FROM suppression s
        WHERE (s.tenant, s.address_hash) = (asked.tenant, asked.address_hash) OFFSET 0
    ) AS s
"""
_SUPPRESS = """
    INSERT INTO suppression (tenant, address_hash, reason, message_id, since) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING
"""


class CustomerTables:
    """The port Customers."""

    async def programmes(self, tx: Transaction, tenants: Collection[str]) -> dict[str, Programme]:
        rows = await tx.raw.fetch(_PROGRAMMES, list(tenants))
        return {row["tenant"]: Programme(**row) for row in rows}

    async def save_programmes(self, tx: Transaction, programmes: Sequence[Programme]) -> None:
        for each in programmes:
            await tx.raw.execute(
                _SAVE_PROGRAMME, each.tenant, each.version, each.name, each.currency, each.time_zone, each.locale
            )

    async def lock(self, tx: Transaction, keys: Collection[Key]) -> dict[Key, Customer]:
        """Creating goes first, in the same order: who comes second waits there, and finds the row."""
        profiles = await self._profiles(tx, _LOCK, sorted(keys))
        if len(profiles) < len(keys):
            missing = sorted(set(keys) - profiles.keys())
            await tx.raw.execute(_CREATE, *_columns(missing), tx.now)
            profiles |= await self._profiles(tx, _LOCK, missing)
        return await self._customers(tx, profiles)

    async def load(self, tx: Transaction, keys: Collection[Key]) -> dict[Key, Customer]:
        return await self._customers(tx, await self._profiles(tx, _PROFILES, keys))

    async def save_profiles(self, tx: Transaction, profiles: Mapping[Key, Profile]) -> None:
        found = list(profiles.values())
        await tx.raw.execute(
            _SAVE_PROFILES, *_columns(list(profiles)), [p.state for p in found], [p.email for p in found],
            [p.name for p in found], [p.locale for p in found], [p.time_zone for p in found],
            [p.kind for p in found], tx.now,
        )  # fmt: skip

    async def add_consents(self, tx: Transaction, changes: Sequence[ConsentChange]) -> None:
        rows = [(*c.key, c.channel, c.purpose, c.granted, c.since, c.event_id, tx.now) for c in changes]
        if rows:
            await tx.raw.copy_records_to_table("consent", records=rows, columns=_CONSENT)

    async def suppress(self, tx: Transaction, tenant: str, address: str, message_id: UUID, reason: str) -> None:
        await tx.raw.execute(_SUPPRESS, tenant, address_hash(tenant, address), reason, message_id, tx.now)

    async def _profiles(self, tx: Transaction, statement: str, keys: Collection[Key]) -> dict[Key, Profile]:
        rows = await tx.raw.fetch(statement, *_columns(keys))
        return {
            (row["tenant"], row["customer_id"]): Profile(
                state=ProfileState(row["state"]), email=row["email"], name=row["name"], locale=row["locale"],
                time_zone=row["time_zone"], kind=row["kind"],
            )
            for row in rows
        }  # fmt: skip

    async def _customers(self, tx: Transaction, profiles: Mapping[Key, Profile]) -> dict[Key, Customer]:
        known = [key for key, profile in profiles.items() if profile.state is ProfileState.KNOWN]
        consents = await self._consents(tx, known) if known else {}
        refused = await self._suppressed(tx, profiles) if known else set()
        return {
            key: Customer(profile, consents.get(key, {}), suppressed=key in refused)
            for key, profile in profiles.items()
        }

    async def _consents(self, tx: Transaction, keys: Collection[Key]) -> dict[Key, dict[tuple[str, str], bool]]:
        found: defaultdict[Key, dict[tuple[str, str], bool]] = defaultdict(dict)
        for tenant, customer_id, channel, purpose, granted in await tx.raw.fetch(_CONSENTS, *_columns(keys)):
            if granted is not None:
                found[tenant, customer_id][channel, purpose] = granted
        return found

    async def _suppressed(self, tx: Transaction, profiles: Mapping[Key, Profile]) -> set[Key]:
        hashes = {key: address_hash(key[0], each.email) for key, each in profiles.items() if each.email}
        rows = await tx.raw.fetch(_SUPPRESSED, [tenant for tenant, _ in hashes], list(hashes.values()))
        refused = {(row["tenant"], row["address_hash"]) for row in rows}
        return {key for key, hashed in hashes.items() if (key[0], hashed) in refused}


def address_hash(tenant: str, address: str) -> bytes:
    """Recognises an address without holding it."""
    return sha256(f"{tenant}\n{address.strip().lower()}".encode()).digest()


def _columns(keys: Collection[Key]) -> tuple[list[str], list[str]]:
    return [tenant for tenant, _ in keys], [customer for _, customer in keys]
