"""Customers' profiles."""

from collections.abc import Callable

from msgspec import UnsetType

from services.gateway.ingest import contracts, rules
from services.gateway.ingest.reception import Reception
from services.gateway.ingest.translation.times import accepted
from shared.events.customers import Consent, ConsentStated, CustomerUpdated
from shared.localisation import is_time_zone, locale_of

Maybe = str | None | UnsetType


def customer(given: contracts.Customer, at: Reception, plain: bool) -> CustomerUpdated | None:
    """A profile that names its customer."""
    return profile(given, given.customer_id, at, plain) if rules.is_customer_id(given.customer_id) else None


def profile(given: contracts.Profile, customer_id: str, at: Reception, plain: bool) -> CustomerUpdated | None:
    """A profile of this customer."""
    occurred_at = accepted(given.occurred_at, at) if given.occurred_at else at.now
    read = (
        (given.email, _read(given.email, lambda text: rules.email(text, at.smtputf8))),
        (given.phone, _read(given.phone, rules.phone)),
        (given.locale, _read(given.locale, locale_of)),
    )
    birthday = rules.birthday(given.birthday, at.now.date()) if given.birthday else None
    if occurred_at is None or any(text and found is None for text, found in (*read, (given.birthday, birthday))):
        return None
    if not _is_good(given, plain) or not _is_unique(given.consents or []):
        return None
    return CustomerUpdated(
        occurred_at=occurred_at,
        customer_id=customer_id,
        email=read[0][1],
        name=given.name or None,
        phone=read[1][1],
        birthday=birthday,
        locale=read[2][1],
        time_zone=given.time_zone or None,
        kind=given.kind or "consumer",
        consents=_consents(given),
        rejoin=bool(given.rejoin),
    )


def consent(given: contracts.ConsentStatement, customer_id: str, at: Reception, plain: bool) -> ConsentStated | None:
    """A consent of this customer: the shop's word, or the customer's own."""
    occurred_at = accepted(given.occurred_at, at) if given.occurred_at else at.now
    if occurred_at is None or not (plain or not given.event_id or rules.is_id(given.event_id)):
        return None
    return ConsentStated(
        occurred_at=occurred_at,
        customer_id=customer_id,
        channel=given.channel,
        purpose=given.purpose,
        granted=given.granted,
        stated_by="shop" if at.principal.customer is None else "customer",
    )


def nobodys(_given: contracts.ConsentStatement, _at: Reception, _plain: bool) -> None:
    """A consent whose customer no path has named yet."""


def _read(text: Maybe, read: Callable[[str], str | None]) -> str | None:
    return read(text) if isinstance(text, str) else None


def _is_good(given: contracts.Profile, plain: bool) -> bool:
    return (plain or not given.name or rules.is_name(given.name)) and (
        not given.time_zone or is_time_zone(given.time_zone)
    )


def _is_unique(consents: list[contracts.Consent]) -> bool:
    return len({(each.channel, each.purpose) for each in consents}) == len(consents)


def _consents(given: contracts.Profile) -> tuple[Consent, ...] | None:
    if not isinstance(given.consents, list):
        return None
    return tuple(Consent(channel=each.channel, purpose=each.purpose, granted=each.granted) for each in given.consents)
