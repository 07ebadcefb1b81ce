"""The declared topics and how they get into a broker."""

import asyncio
from pathlib import Path
from typing import Any

import yaml

from shared.messaging.topics import Topic, apply_topics

DECLARATION = Path(__file__).parent / "kafka" / "topics.yaml"


def declared_topics(declaration: Path = DECLARATION) -> list[Topic]:
    document: dict[str, Any] = yaml.safe_load(declaration.read_text())
    defaults = document["defaults"]
    return [
        Topic(
            name=name,
            partitions=own.get("partitions", defaults["partitions"]),
            config={key: str(value) for key, value in (defaults["config"] | own.get("config", {})).items()},
        )
        for name, own in document["topics"].items()
    ]


def apply_declared_topics(bootstrap: str) -> list[str]:
    """The names of those that were made or changed."""
    return asyncio.run(apply_topics(bootstrap, declared_topics()))
