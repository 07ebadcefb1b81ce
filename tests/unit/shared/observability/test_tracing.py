"""Traces go on from process to process; without an exporter only the caller's word is passed on."""

from collections.abc import Iterator

import pytest
from httpx import ASGITransport, AsyncClient
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.http.app import create_app
from shared.http.hot import HotRequest, HotResponse
from shared.observability.tracing import (
    configure_tracing,
    current_traceparent,
    note,
    span,
    stop_tracing,
    tracing_on,
)

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    configure_tracing("points", "api", None, exporter)
    yield exporter
    stop_tracing()


def test_off_the_caller_s_word_is_handed_on_and_nothing_else() -> None:
    configure_tracing("points", "api", None)
    assert not tracing_on()
    assert current_traceparent() == ""
    with span("consume", PARENT, topic="treue.purchases"):
        note(events=3)
        with span("post"):
            assert current_traceparent() == PARENT
    assert current_traceparent() == ""


def test_on_a_span_goes_on_where_the_caller_was(exporter: InMemorySpanExporter) -> None:
    with span("consume", PARENT, topic="treue.purchases"):
        outer = current_traceparent()
        with span("post"):
            note(events=3)
            inner = current_traceparent()
    assert current_traceparent() == ""
    stop_tracing()
    post, consume = exporter.get_finished_spans()
    assert consume.parent is not None
    assert f"{consume.parent.span_id:016x}" in PARENT
    assert post.parent is not None
    assert post.parent.span_id == consume.context.span_id
    assert {one[3:35] for one in (outer, inner)} == {PARENT[3:35]}
    assert outer != inner
    assert consume.attributes == {"topic": "treue.purchases"}
    assert post.attributes == {"events": 3}
    assert consume.resource.attributes["service.name"] == "points"


def test_on_nonsense_from_a_caller_begins_a_new_trace(exporter: InMemorySpanExporter) -> None:
    for nonsense in ("", "00-0-0-0", "x" * 5000, "00-" + "0" * 32 + "-" + "0" * 16 + "-01"):
        with span("consume", nonsense):
            assert len(current_traceparent()) == 55


async def test_a_request_is_a_span_named_by_its_route(exporter: InMemorySpanExporter) -> None:
    seen: list[str] = []

    async def look(_: HotRequest) -> HotResponse:
        seen.append(current_traceparent())
        return HotResponse(204)

    app = create_app(service="test", version="1", title="Test", hot={("GET", "/look/{id}"): look})
    async with AsyncClient(transport=ASGITransport(app), base_url="http://treue.test") as client:
        await client.get("/look/private", headers={"traceparent": PARENT})
        stop_tracing()
        await client.get("/look/private", headers={"traceparent": PARENT})
        await client.get("/look/private")
    (one,) = exporter.get_finished_spans()
    assert one.name == "GET /look/{id}"
    assert one.attributes == {"http_route": "/look/{id}", "http_response_status_code": 204}
    assert seen[0][3:35] == PARENT[3:35]
    assert seen[0] != PARENT
    assert seen[1:] == [PARENT, ""]
