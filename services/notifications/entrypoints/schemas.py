"""The answers of the HTTP side."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from shared.http.pagination import Page


class MessageAnswer(BaseModel):
    """A message to a customer: what it says, and what became of it."""

    id: UUID
    template: str = Field(examples=["points_earned"])
    channel: str = Field(examples=["email"])
    purpose: str = Field(examples=["service"])
    locale: str | None = Field(description="The language in which `subject` and `body` are.", examples=["de-DE"])
    subject: str | None = Field(description="Null once the customer was erased.")
    body: str | None = Field(description="As text. Of a mail not tried yet: as it would be now.")
    event_id: UUID = Field(description="The event of the shop that it answers to, such as the purchase.")
    cause_id: UUID = Field(description="The platform's own event that caused it, such as points.earned.")
    status: str = Field(description="waiting, queued, sending, sent, failed, skipped or bounced.", examples=["sent"])
    reason: str | None = Field(description="Why it was not sent, or not yet.")
    created_at: datetime
    sent_at: datetime | None


class ConsentAnswer(BaseModel):
    """What was said about a consent, by whom and when, and what held from then on."""

    channel: str = Field(examples=["email"])
    purpose: str = Field(examples=["marketing"])
    granted: bool | None = Field(description="What was said; null: taken back by a list of an earlier release.")
    said_by: str = Field(description="shop, or customer: in person, with a token of their own.", examples=["shop"])
    since: datetime = Field(description="When it was said.")
    received_at: datetime
    effective: bool | None = Field(description="What held afterwards: an older word changes nothing.")
    event_id: UUID


class ConsentState(BaseModel):
    """What holds now."""

    channel: str = Field(examples=["email"])
    purpose: str = Field(examples=["marketing"])
    granted: bool


class ConsentPage(Page[ConsentAnswer]):
    """The history in pages, and beside it what holds now."""

    current: list[ConsentState] = Field(description="What was never said is not here.")


class ProfileAnswer(BaseModel):
    """What is known of a customer: all that the profile gave."""

    customer_id: str
    state: str = Field(description="known; missing: no profile came yet; erased.", examples=["known"])
    email: str | None
    name: str | None
    phone: str | None
    birthday: date | None
    locale: str | None
    time_zone: str | None
    kind: str | None
    occurred_at: datetime | None = Field(description="When it became so; an older profile changes nothing.")
    consents: list[ConsentState] = Field(description="What holds now.")
