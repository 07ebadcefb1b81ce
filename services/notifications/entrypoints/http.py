"""What a customer, or their shop, can ask: their messages, their profile, their consents."""

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifications.adapters import queries
from services.notifications.adapters.queries import NEWEST, Listed, Said
from services.notifications.application.ports import Content, Customers, Renderer, RenderError
from services.notifications.domain.customer import Customer, Profile
from services.notifications.domain.message import Channel
from services.notifications.domain.programme import Programme
from services.notifications.entrypoints.schemas import (
    ConsentAnswer,
    ConsentPage,
    ConsentState,
    MessageAnswer,
    ProfileAnswer,
)
from shared.db.transaction import Transaction, transaction
from shared.errors import NotFoundError
from shared.http.caller import Caller
from shared.http.pagination import LIMIT_DEFAULT, Cursor, Limit, Page, bad_cursor, decode_cursor, encode_cursor
from shared.observability.logging import get_logger

_log = get_logger(__name__)


def customers_router(engine: AsyncEngine, customers: Customers, renderer: Renderer) -> APIRouter:
    """All of it. Pages go by the message's number, which grows with time for one customer."""
    router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["Messages"])

    @router.get("/messages", summary="A customer's messages")
    async def messages(
        customer_id: str, caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> Page[MessageAnswer]:
        """What they were told, newest first, on all channels; also what was deliberately not sent, and why."""
        customer, before = caller.customer_for(customer_id), _position(cursor)
        async with transaction(engine) as tx:
            profile = (await _customer(customers, tx, caller.tenant, customer)).profile
            programme = (await customers.programmes(tx, [caller.tenant]))[caller.tenant]
            found = await queries.messages_page(tx, caller.tenant, customer, before, limit + 1)
        items = [_message(listed, renderer, profile, programme) for listed in found[:limit]]
        return Page(items=items, next=_next([listed.seq for listed in found], limit))

    @router.get("/profile", summary="A customer's profile")
    async def profile(customer_id: str, caller: Caller) -> ProfileAnswer:
        """What the platform knows of them."""
        customer = caller.customer_for(customer_id)
        async with transaction(engine) as tx:
            return _profile_answer(customer, await _customer(customers, tx, caller.tenant, customer))

    @router.get("/consents", summary="A customer's consents")
    async def consents(
        customer_id: str, caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> ConsentPage:
        """What holds now, and all that was ever said, newest first. The later word counts, by when it was said, and of
        two at one instant the withdrawal. What a customer withdrew in person only they give back, with a token of their
        own. A line whose `granted` is not `effective` changed nothing."""
        customer, before = caller.customer_for(customer_id), _position(cursor)
        async with transaction(engine) as tx:
            known = await _customer(customers, tx, caller.tenant, customer)
            found = await queries.consents_page(tx, caller.tenant, customer, before, limit + 1)
        return ConsentPage(
            items=[_consent(said) for said in found[:limit]],
            next=_next([said.seq for said in found], limit),
            current=_current(known),
        )

    return router


async def _customer(customers: Customers, tx: Transaction, tenant: str, customer_id: str) -> Customer:
    found = await customers.load(tx, [(tenant, customer_id)])
    if not found:
        raise NotFoundError("There is no such customer.", code="customer_not_found")
    return found[tenant, customer_id]


def _profile_answer(customer_id: str, customer: Customer) -> ProfileAnswer:
    found = customer.profile
    return ProfileAnswer(
        customer_id=customer_id, state=found.state, email=found.email, name=found.name, phone=found.phone,
        birthday=found.birthday, locale=found.locale, time_zone=found.time_zone, kind=found.kind,
        occurred_at=found.occurred_at, consents=_current(customer),
    )  # fmt: skip


def _current(customer: Customer) -> list[ConsentState]:
    return [
        ConsentState(channel=channel, purpose=purpose, granted=granted)
        for (channel, purpose), granted in sorted(customer.consents.items())
    ]


def _consent(said: Said) -> ConsentAnswer:
    return ConsentAnswer(
        channel=said.channel, purpose=said.purpose, granted=said.granted, said_by=said.said_by, since=said.since,
        received_at=said.received_at, effective=said.effective, event_id=said.event_id,
    )  # fmt: skip


def _message(listed: Listed, renderer: Renderer, profile: Profile, programme: Programme) -> MessageAnswer:
    message = listed.message
    content = _words(listed, renderer, profile, programme)
    return MessageAnswer(
        id=message.id, template=message.template, channel=message.channel, purpose=message.purpose,
        locale=content.locale if content else None, subject=content.subject if content else None,
        body=content.text if content else None, event_id=message.origin_id, cause_id=message.cause_id,
        status=message.status, reason=message.reason, created_at=listed.created_at, sent_at=listed.sent_at,
    )  # fmt: skip


def _words(listed: Listed, renderer: Renderer, profile: Profile, programme: Programme) -> Content | None:
    """What was sent, where it was kept; else the words are made now, in the reader's language of today: so the inbox
    is right for a customer whose profile came later, and there are none to forget."""
    message = listed.message
    if not message.facts:
        return None
    if listed.subject is not None and listed.text is not None:
        return Content(locale=listed.locale or "", subject=listed.subject, text=listed.text)
    render = renderer.note if message.channel is Channel.INAPP else renderer.mail
    try:
        return render(message.template, message.facts, profile, programme)
    except RenderError:
        # One template's fault must not hide the other messages.
        _log.exception("message_not_renderable", template=message.template, message_id=message.id)
        return None


def _position(cursor: str | None) -> int:
    before = decode_cursor(cursor).get("before", NEWEST)
    if not isinstance(before, int) or not 0 <= before <= NEWEST:
        raise bad_cursor()
    return before


def _next(positions: list[int], limit: int) -> str | None:
    return encode_cursor({"before": positions[limit - 1]}) if len(positions) > limit else None
