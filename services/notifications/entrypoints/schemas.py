"""The answers of the HTTP side."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


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
    """What a customer allowed or forbade, from when on."""

    channel: str = Field(examples=["email"])
    purpose: str = Field(examples=["marketing"])
    granted: bool | None = Field(description="Null: from then on they said nothing about it any more.")
    since: datetime
    event_id: UUID


class ProfileAnswer(BaseModel):
    """What this service knows of a customer."""

    customer_id: str
    state: str = Field(description="known; missing: no profile came yet; erased.", examples=["known"])
    email: str | None
    name: str | None
    locale: str | None
    time_zone: str | None
    kind: str | None
