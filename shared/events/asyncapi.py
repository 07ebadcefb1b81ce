"""The AsyncAPI 3 document of the platform: which topics there are, what travels on them, who sends and who receives."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from shared.events import registry
from shared.events.contract import CustomerEvent, Event, OrderEvent, Topic
from shared.events.json_schema import components, examples_of, family, name_of

_TOPICS = Path(__file__).parents[2] / "deploy" / "kafka" / "topics.yaml"
_BINDING = {"bindingVersion": "0.5.0"}
_INTRODUCTION = """\
CloudEvents 1.0 in Kafka's binary mode: the attributes are headers, the value is the event's JSON. Delivery is at least
once; the pair of tenant and `ce_id` tells a repetition. Unknown fields and unknown types are to be ignored.

Every record's key is `tenant:customer` (an order stands for an unknown customer, the tenant alone for its programme),
so the events of one customer keep their order within a topic; topics overtake each other.
"""
# Checked against the services' own code in tests/contract.
SENDERS: Final[Mapping[Topic, tuple[str, ...]]] = {
    Topic.PURCHASES: ("gateway",),
    Topic.FEEDBACK: ("gateway",),
    Topic.ACTIVITIES: ("gateway",),
    Topic.CUSTOMERS: ("gateway",),
    Topic.PROGRAMMES: ("points",),
    Topic.POINTS: ("points",),
    Topic.NOTIFICATIONS: ("notifications",),
    Topic.DEAD_LETTERS: ("points", "notifications", "metrics", "gateway"),
}
RECEIVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "gateway": ("programme.updated",),
    "points": (
        *("purchase.completed", "purchase.returned", "purchase.cancelled", "customer.updated", "customer.erased"),
        *("consent.stated", "feedback.submitted", "activity.recorded"),
    ),
    "notifications": (
        *("programme.updated", "customer.updated", "consent.stated", "customer.erased"),
        *("points.earned", "points.clawed_back", "points.restored", "feedback.submitted"),
    ),
    "metrics": (
        *("programme.updated", "purchase.completed", "purchase.returned", "purchase.cancelled"),
        *("feedback.submitted", "activity.recorded", "customer.updated", "consent.stated", "customer.erased"),
    ),
}
_TEXT = {"type": "string"}
HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "ce_specversion": {"const": "1.0"},
    "ce_id": _TEXT
    | {"format": "uuid", "description": "Derived from what caused the event: a repetition has the same."},
    "ce_type": _TEXT,
    "ce_source": _TEXT | {"description": "Who said it: the caller's source, or treue/<family>."},
    "ce_time": _TEXT | {"format": "date-time", "description": "When the platform took the event in."},
    "ce_dataschema": _TEXT | {"description": "urn:treue:event:<type>:<version>, the $id of the JSON Schema."},
    "ce_tenant": _TEXT | {"description": "The merchant's programme that the event belongs to."},
    "content-type": {"const": "application/json"},
    "ce_correlationid": _TEXT | {"description": "The request that all of this began with."},
    "traceparent": _TEXT | {"description": "W3C trace context."},
    "ce_programmeversion": _TEXT
    | {"pattern": "^[0-9]+$", "description": "The newest version of the programme that the gateway knew."},
}
_OPTIONAL = {"ce_correlationid", "traceparent", "ce_programmeversion"}


def text() -> str:
    """The document as it stands in docs/events/asyncapi.yaml."""
    head = "# Generated from shared/events by `make schemas`.\n"
    return head + yaml.dump(document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, and repeats what is repeated (a reader should not look for anchors)."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def _text(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Dumper.add_representer(str, _Dumper._text)  # noqa: SLF001 - its own


def document() -> dict[str, Any]:
    """The document."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Treue", "version": "1.0.0", "description": _INTRODUCTION},
        "defaultContentType": "application/json",
        "servers": {"kafka": _server()},
        "channels": {topic.name.lower(): _channel(topic) for topic in Topic},
        "operations": dict(_operations()),
        "components": {
            "messages": {name_of(event): _message(event) for event in registry.EVENTS}
            | {"dead-letter": _dead_letter()},
            "schemas": components("#/components/schemas/{name}") | {"Headers": _headers()},
        },
    }


def _server() -> dict[str, Any]:
    bootstrap = {"default": "localhost:9092", "description": "KAFKA_BOOTSTRAP"}
    return {"host": "{bootstrap}", "protocol": "kafka", "variables": {"bootstrap": bootstrap}}


def _channel(topic: Topic) -> dict[str, Any]:
    declared = yaml.safe_load(_TOPICS.read_text())
    own, defaults = declared["topics"][topic.value], declared["defaults"]
    config = defaults["config"] | own.get("config", {})
    settings = config | {"cleanup.policy": config["cleanup.policy"].split(",")}
    kafka = {"topic": topic.value, "partitions": own.get("partitions", defaults["partitions"])}
    return {
        "address": topic.value,
        "description": _about(topic),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names(topic)},
        "bindings": {"kafka": kafka | {"topicConfiguration": settings} | _BINDING},
    }


def _about(topic: Topic) -> str:
    if topic is Topic.DEAD_LETTERS:
        return "Records that a service could not apply, as they came, for whoever watches; the table has the record."
    families = dict.fromkeys(family(event) for event in registry.EVENTS if event.TOPIC is topic)
    return "\n\n".join(families) or "Nothing travels here yet."


def _names(topic: Topic) -> list[str]:
    if topic is Topic.DEAD_LETTERS:
        return ["dead-letter"]
    return [name_of(event) for event in registry.EVENTS if event.TOPIC is topic]


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for topic, services in SENDERS.items():
        for service in services:
            yield f"{service}.send.{topic.name.lower()}", _operation(service, "send", topic, _names(topic))
    for service, types in RECEIVERS.items():
        heard = [event for event in registry.EVENTS if event.TYPE in types]
        for topic in dict.fromkeys(event.TOPIC for event in heard):
            names = [name_of(event) for event in heard if event.TOPIC is topic]
            group = {"kafka": {"groupId": {"type": "string", "const": service}} | _BINDING}
            operation = _operation(service, "receive", topic, names) | {"bindings": group}
            yield f"{service}.receive.{topic.name.lower()}", operation


def _operation(service: str, action: str, topic: Topic, names: Iterable[str]) -> dict[str, Any]:
    channel = f"#/channels/{topic.name.lower()}"
    messages = [{"$ref": f"{channel}/messages/{name}"} for name in names]
    return {"action": action, "channel": {"$ref": channel}, "messages": messages, "tags": [{"name": service}]}


def _message(event: type[Event]) -> dict[str, Any]:
    examples = [{"name": "anna", "payload": payload} for payload in examples_of(event)]
    return {
        "name": event.TYPE,
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": key(event)}} | _BINDING},
        "examples": examples,
    }


def key(event: type[Event]) -> str:
    """How the record's key of this event is made."""
    if issubclass(event, OrderEvent):
        return "tenant:customer_id, or tenant:order_id for a guest"
    return "tenant:customer_id" if issubclass(event, CustomerEvent) else "tenant"


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: dict(schema) for name, schema in HEADERS.items()},
        "required": [name for name in HEADERS if name not in _OPTIONAL],
    }


def _dead_letter() -> dict[str, Any]:
    told = {
        "error": _TEXT | {"description": "What kind of failure it was."},
        "origin": _TEXT | {"description": "topic/partition/offset"},
    }
    return {
        "name": "dead-letter",
        "summary": "The headers and the value are those of the record, whatever they were, and these two more.",
        "headers": {"type": "object", "properties": told, "required": list(told)},
        "payload": {"description": "As it came; it may be no JSON at all."},
    }
