"""Topics: made from a list, never by use; and the identity of the cluster that holds them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.messaging.away import kafka_answers


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be. The number of partitions of a keyed topic never changes: keys would move."""

    name: str
    partitions: int
    config: Mapping[str, str]


async def apply_topics(bootstrap: str, topics: Sequence[Topic], *, replication: int = 1) -> list[str]:
    """Create what is missing, set the configuration of what exists; returns the names that were created.

    Raises ValueError when a topic exists with another number of partitions.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="treue-topics", request_timeout_ms=15_000)
    await admin.start()
    try:
        existing = {found["topic"]: len(found["partitions"]) for found in await admin.describe_topics()}
        missing = [topic for topic in topics if topic.name not in existing]
        _refuse_other_counts(topics, existing)
        if missing:
            answer = await admin.create_topics(
                [NewTopic(t.name, t.partitions, replication, topic_configs=dict(t.config)) for t in missing]
            )
            for name, code, *_ in answer.topic_errors:
                if code and for_code(code) is not TopicAlreadyExistsError:
                    raise for_code(code)(name)
        known = [topic for topic in topics if topic.name in existing and topic.config]
        if known:
            await admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, t.name, configs=dict(t.config)) for t in known]
            )
        return [topic.name for topic in missing]
    finally:
        await admin.close()


def _refuse_other_counts(topics: Sequence[Topic], existing: Mapping[str, int]) -> None:
    for topic in topics:
        found = existing.get(topic.name, topic.partitions)
        if found != topic.partitions:
            raise ValueError(
                f"{topic.name} has {found} partitions, {topic.partitions} are wanted: keys would move; make a new topic"
            )


async def cluster_id(bootstrap: str) -> str:
    """The identity of the Kafka cluster at this address."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="treue-identity", request_timeout_ms=10_000)
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()


async def log_ranges(bootstrap: str, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
    """First and end offset of each of these partitions; one that does not exist is missing in the answer. Raises
    KafkaAwayError."""
    with kafka_answers():
        return await _log_ranges(bootstrap, partitions)


async def _log_ranges(
    bootstrap: str, partitions: Collection[tuple[str, int]]
) -> dict[tuple[str, int], tuple[int, int]]:
    existing = await partition_counts(bootstrap)
    wanted = [TopicPartition(topic, part) for topic, part in partitions if part < existing.get(topic, 0)]
    if not wanted:
        return {}
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, client_id="treue-auditor", request_timeout_ms=10_000)
    await consumer.start()
    try:
        consumer.assign(wanted)
        firsts, ends = await consumer.beginning_offsets(wanted), await consumer.end_offsets(wanted)
        return {(tp.topic, tp.partition): (firsts[tp], ends[tp]) for tp in wanted}
    finally:
        await consumer.stop()


async def partition_counts(bootstrap: str) -> dict[str, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="treue-topics", request_timeout_ms=10_000)
    await admin.start()
    try:
        return {found["topic"]: len(found["partitions"]) for found in await admin.describe_topics()}
    finally:
        await admin.close()
