"""Publish a tenant's programme: each change is a new version, and the old ones stay as they are."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.points.application.ports import Programmes
from services.points.domain.programme import Programme, ReturnPolicy, Rounding, Terms, at_instant
from shared.db.transaction import Transaction
from shared.errors import ConflictError, Fault, InvalidError
from shared.events.envelope import Envelope, Record, record_of
from shared.events.programmes import ProgrammeUpdated
from shared.ids import event_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a tenant wants of its programme; None leaves a term as it is."""

    name: str | None = None
    currency: str | None = None
    time_zone: str | None = None
    locale: str | None = None
    points_per_unit: Decimal | None = None
    rounding: Rounding | None = None
    return_policy: ReturnPolicy | None = None
    activation_delay_days: int | None = None
    effective_from: datetime | None = None


async def publish(
    tx: Transaction,
    programmes: Programmes,
    known: Sequence[Programme],
    tenant: str,
    change: Change,
    published_by: str,
) -> tuple[Programme, Record | None]:
    """Publish the terms as changed. `known` are all versions so far; nobody else publishes meanwhile. Returns the
    version in the end, and what to tell the others of it.

    What changes nothing makes no version. What the change leaves out is as in the version in force when the change
    becomes effective, never as in one that is scheduled for later.

    Raises InvalidError when a first version lacks a name or a currency, ConflictError (`currency_fixed`) when a later
    one wants another currency: every point was counted in the first.
    """
    effective_from = _wanted_from(known, change, tx.now)
    base = at_instant(known, effective_from or tx.now) if known else None
    terms = _first_terms(change) if base is None else _next_terms(base, change)
    if base is not None and terms == base.terms and effective_from in (None, base.effective_from):
        return base, None
    programme = Programme(
        version=known[-1].version + 1 if known else 1,
        terms=terms,
        effective_from=effective_from or _today(base, tx.now, terms.time_zone),
        recorded_at=tx.now,
    )
    await programmes.publish(tx, tenant, programme, published_by)
    return programme, _told(tenant, programme)


def _wanted_from(known: Sequence[Programme], change: Change, now: datetime) -> datetime | None:
    """From when on the change shall hold; None for today. The instant of the version in force is what GET shows:
    putting it back with a change asks for no change of what is past."""
    if known and change.effective_from == at_instant(known, now).effective_from:
        return None
    return change.effective_from


def _next_terms(base: Programme, change: Change) -> Terms:
    currency = base.terms.currency
    if change.currency not in (None, currency):
        raise ConflictError(f"This programme counts in {currency}, for good.", code="currency_fixed", currency=currency)
    names = [field.name for field in fields(Terms)]
    wanted = {name: getattr(change, name) for name in names if getattr(change, name) is not None}
    return replace(base.terms, **wanted)


def _first_terms(change: Change) -> Terms:
    missing = [name for name in ("name", "currency") if getattr(change, name) is None]
    if missing or change.name is None or change.currency is None:
        faults = [Fault(f"/{name}", "required", "The first version of a programme needs it.") for name in missing]
        raise InvalidError("The body is not acceptable.", faults=faults)
    return Terms(
        name=change.name,
        currency=change.currency,
        time_zone=change.time_zone or "Europe/Berlin",
        locale=change.locale or "de-DE",
        points_per_unit=Decimal(1) if change.points_per_unit is None else change.points_per_unit,
        rounding=change.rounding or Rounding.FLOOR,
        return_policy=change.return_policy or ReturnPolicy.RECOMPUTE,
        activation_delay_days=change.activation_delay_days or 0,
    )


def _today(base: Programme | None, now: datetime, time_zone: str) -> datetime:
    """A day has one rate: a version is effective from the beginning of the tenant's current day; but not before the one
    that it takes the place of, which would stay in force otherwise."""
    midnight = now.astimezone(ZoneInfo(time_zone)).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    return midnight if base is None or base.effective_from > now else max(midnight, base.effective_from)


def _told(tenant: str, programme: Programme) -> Record:
    terms = programme.terms
    event = ProgrammeUpdated(
        occurred_at=programme.recorded_at, version=programme.version, effective_from=programme.effective_from,
        name=terms.name, currency=terms.currency, time_zone=terms.time_zone, locale=terms.locale,
        points_per_unit=f"{terms.points_per_unit:f}", rounding=terms.rounding.value,
        return_policy=terms.return_policy.value, activation_delay_days=terms.activation_delay_days,
    )  # fmt: skip
    envelope = Envelope(
        id=event_id(tenant, "treue/programme", str(programme.version)), type=event.TYPE, version=event.VERSION,
        tenant=tenant, source="treue/points", time=programme.recorded_at, programme_version=programme.version,
    )  # fmt: skip
    return record_of(envelope, event)
