"""The AsyncAPI document is valid, and says what the code and the broker's declaration say."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from deploy.declared_topics import declared_topics
from shared.events import registry
from shared.events.asyncapi import HEADERS
from shared.events.contract import Topic
from shared.events.json_schema import name_of
from shared.events.schemas import FOLDER

DOCUMENT: dict[str, Any] = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text())
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
    compacted = {topic.name for topic in declared_topics() if "compact" in topic.config["cleanup.policy"]}
    assert compacted == {topic.value for topic in Topic if topic.compacted}


def test_every_event_travels_on_its_topic() -> None:
    for event in registry.EVENTS:
        channel = DOCUMENT["channels"][event.TOPIC.name.lower()]
        assert name_of(event) in channel["messages"]


@pytest.mark.parametrize("topic", Topic)
def test_every_topic_has_a_sender(topic: Topic) -> None:
    operations = [
        one for one in DOCUMENT["operations"].values() if one["channel"]["$ref"].endswith(f"/{topic.name.lower()}")
    ]
    assert any(operation["action"] == "send" for operation in operations)


def test_headers_are_those_of_the_envelope() -> None:
    assert set(DOCUMENT["components"]["schemas"]["Headers"]["properties"]) == set(HEADERS)
