"""OpenTelemetry, from one process to the next over HTTP and Kafka by the W3C `traceparent`.

Without an exporter no span is made: an incoming `traceparent` is only handed on, which costs one context variable.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
_handed_on: ContextVar[str] = ContextVar("traceparent", default="")

Attribute = str | int | float | bool


class _Tracing:
    """The process's tracer, and whether there is one."""

    provider: TracerProvider | None = None
    tracer: Tracer | None = None


def configure_tracing(service: str, role: str, otlp_endpoint: str | None, exporter: SpanExporter | None = None) -> None:
    """Send spans to `otlp_endpoint` (or `exporter`); with neither, tracing stays off."""
    if exporter is None and otlp_endpoint:
        exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
    if exporter is None:
        _Tracing.provider = _Tracing.tracer = None
        return
    resource = Resource.create({"service.namespace": "treue", "service.name": service, "treue.role": role})
    _Tracing.provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    _Tracing.provider.add_span_processor(BatchSpanProcessor(exporter))
    _Tracing.tracer = _Tracing.provider.get_tracer("treue")


def stop_tracing() -> None:
    """Send what is left and stop. Blocks for as long as the exporter needs, a few seconds at most."""
    if _Tracing.provider is not None:
        _Tracing.provider.shutdown()
    _Tracing.provider = _Tracing.tracer = None


def tracing_on() -> bool:
    """Whether spans are made at all."""
    return _Tracing.tracer is not None


def current_traceparent() -> str:
    """The `traceparent` to send along with whatever is sent now; empty when nothing is traced."""
    if _Tracing.tracer is None:
        return _handed_on.get()
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent", "")


def hand_on(traceparent: str) -> None:
    """Without tracing: remember the caller's `traceparent` for the rest of this task."""
    if _handed_on.get() != traceparent:
        _handed_on.set(traceparent)


def span(name: str, traceparent: str = "", **attributes: Attribute) -> AbstractContextManager[None]:
    """A span around what is inside, a child of `traceparent` if that is given, else of the current span."""
    if _Tracing.tracer is None:
        return _passed_through(traceparent)
    return _recorded(_Tracing.tracer, name, traceparent, attributes)


@contextmanager
def _passed_through(traceparent: str) -> Iterator[None]:
    token = _handed_on.set(traceparent or _handed_on.get())
    try:
        yield
    finally:
        _handed_on.reset(token)


@contextmanager
def _recorded(tracer: Tracer, name: str, traceparent: str, attributes: dict[str, Attribute]) -> Iterator[None]:
    parent = _PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else None
    with tracer.start_as_current_span(name, context=parent, attributes=attributes):
        yield


def note(**attributes: Attribute) -> None:
    """Add what became known later to the current span."""
    if _Tracing.tracer is not None:
        trace.get_current_span().set_attributes(attributes)
