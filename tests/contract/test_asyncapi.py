"""The AsyncAPI document is valid, and says what the code and the broker's declaration say."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from jsonschema import Draft7Validator

from deploy.declared_topics import declared_topics
from services.gateway.entrypoints.programmes import Programmes
from services.metrics.entrypoints.consumer import MetricsApplication
from services.notifications.entrypoints.consumer import NotificationsApplication
from services.points.entrypoints.consumer import PointsApplication
from shared.events import registry
from shared.events.contract import Topic
from shared.events.envelope import Envelope
from shared.events.json_schema import name_of
from shared.events.schemas import FOLDER

DOCUMENT: dict[str, Any] = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text())
APPLICATIONS = {
    "gateway": Programmes,
    "points": PointsApplication,
    "notifications": NotificationsApplication,
    "metrics": MetricsApplication,
}
RULES = json.loads((Path(__file__).parent / "asyncapi-3.0.0.schema.json").read_text())


def _errors(document: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in Draft7Validator(RULES).iter_errors(document)]


def test_it_is_valid_asyncapi() -> None:
    assert _errors(DOCUMENT) == []


def test_the_rules_refuse_what_is_no_asyncapi() -> None:
    assert _errors(DOCUMENT | {"channels": {"purchases": {"adress": "treue.purchases"}}})
    assert _errors(DOCUMENT | {"operations": {"send": {"action": "shout"}}})


def test_every_reference_leads_somewhere() -> None:
    def follow(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(target := node.get("$ref"), str):
                found: Any = DOCUMENT
                for step in target.removeprefix("#/").split("/"):
                    found = found[step]
            for below in node.values():
                follow(below)
        elif isinstance(node, list):
            for below in node:
                follow(below)

    follow(DOCUMENT)


def test_topics_are_the_declared_ones() -> None:
    declared = {topic.name: topic for topic in declared_topics()}
    assert declared.keys() == {topic.value for topic in Topic}
    for channel in DOCUMENT["channels"].values():
        kafka, topic = channel["bindings"]["kafka"], declared[channel["address"]]
        told = {key: ",".join(v) if isinstance(v, list) else str(v) for key, v in kafka["topicConfiguration"].items()}
        assert (kafka["topic"], kafka["partitions"], told) == (topic.name, topic.partitions, dict(topic.config))


def test_compacted_topics_are_declared_so() -> None:
    """Customers were compacted once: their log may have gaps for ever. It is not any more, since the newest record of a
    customer may be an older word, or one that was refused."""
    compacted = {topic.name for topic in declared_topics() if "compact" in topic.config["cleanup.policy"]}
    assert compacted == {topic.value for topic in Topic if topic.compacted} - {Topic.CUSTOMERS.value}


def test_every_event_travels_on_its_topic() -> None:
    for event in registry.EVENTS:
        channel = DOCUMENT["channels"][event.TOPIC.name.lower()]
        assert name_of(event) in channel["messages"]


def test_every_event_has_a_sender() -> None:
    sent = {ref["$ref"].rpartition("/")[2] for one in _operations("send") for ref in one["messages"]}
    assert {name_of(event) for event in registry.EVENTS} <= sent


@pytest.mark.parametrize("application", APPLICATIONS.values(), ids=APPLICATIONS)
def test_a_service_receives_what_its_consumer_listens_to(application: Any) -> None:
    service = next(name for name, each in APPLICATIONS.items() if each is application)
    told = [one for one in _operations("receive") if one["tags"] == [{"name": service}]]
    names = {ref["$ref"].rpartition("/")[2] for one in told for ref in one["messages"]}
    assert names == {name_of(event) for event in application.events.values()}, (
        "see RECEIVERS in shared/events/asyncapi.py"
    )
    addresses = {DOCUMENT["channels"][one["channel"]["$ref"].rpartition("/")[2]]["address"] for one in told}
    assert addresses == set(application.topics)


def _operations(action: str) -> list[dict[str, Any]]:
    return [one for one in DOCUMENT["operations"].values() if one["action"] == action]


def test_headers_are_those_of_the_envelope() -> None:
    written = Envelope(
        id=UUID(int=1), type="t", version=1, tenant="a", source="s", time=datetime(2026, 1, 1, tzinfo=UTC),
        correlation_id="c", traceparent="t", programme_version=1,
    ).headers()  # fmt: skip
    told = DOCUMENT["components"]["schemas"]["Headers"]
    assert set(told["properties"]) == {name for name, _ in written}
    Draft7Validator(told).validate({name: value.decode() for name, value in written})
