"""What Kafka tells: the topics, and how much of them the consumers have not read."""

from collections.abc import Mapping, Sequence

from deploy.declared_topics import declared_topics
from deploy.doctor.books import Positions
from deploy.doctor.finding import Finding
from shared.messaging.topics import Topic, log_ranges, partition_counts

_LAG_MAX = 1_000


async def topics(bootstrap: str) -> Finding:
    """Whether they are as declared."""
    return topics_finding(declared_topics(), await partition_counts(bootstrap))


def topics_finding(declared: Sequence[Topic], existing: Mapping[str, int]) -> Finding:
    """The topics that there are, by their partitions."""
    missing = [topic.name for topic in declared if topic.name not in existing]
    if missing:
        return Finding("topics", "fail", f"missing: {', '.join(missing)}", "treue topics")
    other = [
        f"{topic.name} has {existing[topic.name]} partitions, not {topic.partitions}"
        for topic in declared
        if existing[topic.name] != topic.partitions
    ]
    if other:
        step = "Keys have moved: stop the workers, and see docs/guarantees.md before anything is consumed."
        return Finding("topics", "fail", "; ".join(other), step)
    return Finding("topics", "ok", f"{len(declared)} as declared")


async def lag(bootstrap: str, positions: Mapping[str, Positions]) -> Finding:
    """How many records the services have not read."""
    partitions = {partition for of_service in positions.values() for partition in of_service}
    logs = await log_ranges(bootstrap, sorted(partitions))
    return lag_finding(
        {
            service: sum(max(logs[each][1] - read, 0) for each, read in of_service.items() if each in logs)
            for service, of_service in positions.items()
        }
    )


def lag_finding(unread: Mapping[str, int]) -> Finding:
    """By service."""
    told = ", ".join(f"{service} {count:,}" for service, count in unread.items() if count) or "nothing unread"
    worst = max(unread, key=lambda service: unread[service], default="")
    if worst and unread[worst] > _LAG_MAX:
        return Finding(
            "lag", "warn", told, f"Does it shrink? If not: treue logs {worst}-worker, or treue scale {worst} 2"
        )
    return Finding("lag", "ok", told)
