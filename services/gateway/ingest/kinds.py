"""The kinds of things that come in: one table, from which reading, routes and documents are made."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from services.gateway.ingest import contracts, models, relations
from services.gateway.ingest.reception import Reception
from services.gateway.ingest.translation import orders, profiles, voices
from shared.events.contract import Event

Translate = Callable[[Any, Reception, bool], Event | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: `name` is the last word of its path and the list's name in a batch; `customers_may` tells whether a
    customer's own token may bring it."""

    name: str
    contract: type[contracts.Given] | type[contracts.Profile]
    model: type[models.Given]
    relations: relations.Relations
    translate: Translate
    customers_may: bool = False


PURCHASES = Kind("purchases", contracts.Purchase, models.Purchase, relations.purchase, orders.purchase)
RETURNS = Kind("returns", contracts.Return, models.Return, relations.returned, orders.returned)
CANCELLATIONS = Kind(
    "cancellations", contracts.Cancellation, models.Cancellation, relations.nothing, orders.cancellation
)
FEEDBACK = Kind(
    "feedback", contracts.Feedback, models.Feedback, relations.feedback, voices.feedback, customers_may=True
)
ACTIVITIES = Kind(
    "activities", contracts.Activity, models.Activity, relations.somebody, voices.activity, customers_may=True
)
CUSTOMERS = Kind("customers", contracts.Customer, models.Customer, relations.profile, profiles.customer)

# Nothing comes in by it: a purchase that is asked about, under the rules of one that is posted.
QUOTES = Kind("quotes", contracts.Quote, models.Quote, relations.quote, orders.quote, customers_may=True)

CONSENTS = Kind(
    "consents", contracts.ConsentStatement, models.ConsentStatement, relations.nothing, profiles.nobodys,
    customers_may=True,
)  # fmt: skip

EVENT_KINDS = (PURCHASES, RETURNS, CANCELLATIONS, FEEDBACK, ACTIVITIES)


def profile_of(customer_id: str) -> Kind:
    """The kind of a profile whose customer the path names."""

    def translate(given: contracts.Profile, at: Reception, plain: bool) -> Event | None:
        return profiles.profile(given, customer_id, at, plain)

    return Kind("customers", contracts.Profile, models.Profile, relations.profile, translate)


def consent_of(customer_id: str) -> Kind:
    """The kind of a consent whose customer the path names."""

    def translate(given: contracts.ConsentStatement, at: Reception, plain: bool) -> Event | None:
        return profiles.consent(given, customer_id, at, plain)

    return replace(CONSENTS, translate=translate)
