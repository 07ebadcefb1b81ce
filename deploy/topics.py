"""`treue topics`."""

from deploy.local.stack import LocalStack
from deploy.output import progress, show


def topics() -> None:
    """Make the declared topics, or set what differs, in the Kafka of this stack."""
    from deploy.declared_topics import declared_topics

    made = LocalStack.with_servers(progress()).wait_for_kafka()
    names = [topic.name for topic in declared_topics()]
    show({"topics": names, "made": made}, f"{len(names)} topics are as declared; {len(made)} of them new.")
