"""Programmes, profiles, consents and refused addresses in Postgres. Statements are bulk: one round trip per table."""

import hmac
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from services.notifications.application.ports import ConsentRecord, Key
from services.notifications.domain.consent import ConsentKey, Source, Word, consents_of
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
        SELECT tenant, customer_id, state, email, name, locale, time_zone, kind, phone, birthday, occurred_at
        FROM profile p
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
        time_zone = new.time_zone, kind = new.kind, phone = new.phone, birthday = new.birthday,
        occurred_at = new.occurred_at, changed_at = $12
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::date[], $11::timestamptz[])
        AS new (tenant, customer_id, state, email, name, locale, time_zone, kind, phone, birthday, occurred_at)
    WHERE p.tenant = new.tenant AND p.customer_id = new.customer_id
"""
_WORDS = """
    SELECT c.* FROM unnest($1::text[], $2::text[]) AS asked (tenant, customer_id) CROSS JOIN LATERAL (
        SELECT tenant, customer_id, channel, purpose, said_by, granted, said_at FROM consent_word c
        WHERE (c.tenant, c.customer_id) = (asked.tenant, asked.customer_id) OFFSET 0
    ) AS c
"""
_SAVE_WORDS = """
    INSERT INTO consent_word AS w (tenant, customer_id, channel, purpose, said_by, granted, said_at)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::timestamptz[])
    ON CONFLICT (tenant, customer_id, channel, purpose, said_by)
        DO UPDATE SET granted = excluded.granted, said_at = excluded.said_at
"""
_CONSENT = (
    "tenant", "customer_id", "channel", "purpose", "said_by", "granted", "since", "received_at", "event_id",
    "effective", "recorded_at",
)  # fmt: skip
# Whoever comes with an address is asked for by its keyed hash, and by the plain one of addresses that refused mail.
_WITHDRAWALS = """
    SELECT w.* FROM unnest($1::text[], $2::bytea[]) AS asked (tenant, address_hash) CROSS JOIN LATERAL (
        SELECT tenant, address_hash, channel, purpose, since FROM withdrawal w
        WHERE (w.tenant, w.address_hash) = (asked.tenant, asked.address_hash) OFFSET 0
    ) AS w
"""
_WITHDRAW = """
    INSERT INTO withdrawal (tenant, address_hash, channel, purpose, since)
    SELECT $1, $2, channel, purpose, $5 FROM unnest($3::text[], $4::text[]) AS w (channel, purpose)
    ON CONFLICT DO NOTHING
"""
_KEY = "SELECT key FROM address_key"
_PSEUDONYMISE = "SELECT pseudonymise_v1($1, $2, $3, $4)"
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
            [p.kind for p in found], [p.phone for p in found], [p.birthday for p in found],
            [p.occurred_at for p in found], tx.now,
        )  # fmt: skip

    async def add_consents(self, tx: Transaction, records: Sequence[ConsentRecord]) -> None:
        rows = [
            (*each.key, each.channel, each.purpose, each.said_by, each.word.granted, each.word.said_at,
             each.received_at, each.event_id, each.effective, tx.now)
            for each in records
        ]  # fmt: skip
        if rows:
            await tx.raw.copy_records_to_table("consent", records=rows, columns=_CONSENT)

    async def save_words(self, tx: Transaction, words: Mapping[tuple[Key, ConsentKey, Source], Word]) -> None:
        rows = [(*key, *consent, source, word.granted, word.said_at) for (key, consent, source), word in words.items()]
        if rows:
            await tx.raw.execute(_SAVE_WORDS, *map(list, zip(*rows, strict=True)))

    async def keep_withdrawals(
        self, tx: Transaction, tenant: str, address: str, keys: Collection[ConsentKey], since: datetime
    ) -> None:
        hashed = keyed_hash(await tx.raw.fetchval(_KEY), tenant, address)
        channels, purposes = zip(*keys, strict=True)
        await tx.raw.execute(_WITHDRAW, tenant, hashed, list(channels), list(purposes), since)

    async def pseudonymise(self, tx: Transaction, key: Key, pseudonym: str) -> None:
        await tx.raw.execute(_PSEUDONYMISE, *key, pseudonym, tx.now)

    async def suppress(self, tx: Transaction, tenant: str, address: str, message_id: UUID, reason: str) -> None:
        await tx.raw.execute(_SUPPRESS, tenant, address_hash(tenant, address), reason, message_id, tx.now)

    async def _profiles(self, tx: Transaction, statement: str, keys: Collection[Key]) -> dict[Key, Profile]:
        rows = await tx.raw.fetch(statement, *_columns(keys))
        return {
            (row["tenant"], row["customer_id"]): Profile(
                state=ProfileState(row["state"]), email=row["email"], name=row["name"], locale=row["locale"],
                time_zone=row["time_zone"], kind=row["kind"], phone=row["phone"], birthday=row["birthday"],
                occurred_at=row["occurred_at"],
            )
            for row in rows
        }  # fmt: skip

    async def _customers(self, tx: Transaction, profiles: Mapping[Key, Profile]) -> dict[Key, Customer]:
        alive = [key for key, profile in profiles.items() if profile.state is not ProfileState.ERASED]
        addresses = {key: each.email for key, each in profiles.items() if each.email}
        words = await self._words(tx, alive) if alive else {}
        refused = await self._suppressed(tx, profiles) if addresses else set()
        withdrawals = await self._withdrawals(tx, addresses) if addresses else {}
        return {
            key: Customer(
                profile, consents_of(words.get(key, {}), withdrawals.get(key, ())), key in refused, words.get(key, {})
            )
            for key, profile in profiles.items()
        }

    async def _words(self, tx: Transaction, keys: Collection[Key]) -> dict[Key, dict[ConsentKey, dict[Source, Word]]]:
        found: defaultdict[Key, dict[ConsentKey, dict[Source, Word]]] = defaultdict(dict)
        for tenant, customer_id, channel, purpose, source, *word in await tx.raw.fetch(_WORDS, *_columns(keys)):
            found[tenant, customer_id].setdefault((channel, purpose), {})[Source(source)] = Word(*word)
        return found

    async def _withdrawals(
        self, tx: Transaction, addresses: Mapping[Key, str]
    ) -> dict[Key, list[tuple[ConsentKey, datetime]]]:
        key = await tx.raw.fetchval(_KEY)
        hashes = {each: keyed_hash(key, each[0], address) for each, address in addresses.items()}
        rows = await tx.raw.fetch(_WITHDRAWALS, [tenant for tenant, _ in hashes], list(hashes.values()))
        found: defaultdict[tuple[str, bytes], list[tuple[ConsentKey, datetime]]] = defaultdict(list)
        for tenant, hashed, channel, purpose, since in rows:
            found[tenant, hashed].append(((channel, purpose), since))
        return {each: found[each[0], hashed] for each, hashed in hashes.items() if (each[0], hashed) in found}

    async def _suppressed(self, tx: Transaction, profiles: Mapping[Key, Profile]) -> set[Key]:
        hashes = {key: address_hash(key[0], each.email) for key, each in profiles.items() if each.email}
        rows = await tx.raw.fetch(_SUPPRESSED, [tenant for tenant, _ in hashes], list(hashes.values()))
        refused = {(row["tenant"], row["address_hash"]) for row in rows}
        return {key for key, hashed in hashes.items() if (key[0], hashed) in refused}


def keyed_hash(key: bytes, tenant: str, address: str) -> bytes:
    """As address_hash, but of no use to who has the table and not the key."""
    return hmac.digest(key, f"{tenant}\n{address.strip().lower()}".encode(), "sha256")


def address_hash(tenant: str, address: str) -> bytes:
    """Recognises an address without holding it."""
    return sha256(f"{tenant}\n{address.strip().lower()}".encode()).digest()


def _columns(keys: Collection[Key]) -> tuple[list[str], list[str]]:
    return [tenant for tenant, _ in keys], [customer for _, customer in keys]
