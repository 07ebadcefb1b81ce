"""A Kafka that does not answer somebody who only looks: nothing is tried again for them, they are told."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaError


class KafkaAwayError(Exception):
    """Kafka does not answer; the text says so, and how it shows."""


@contextmanager
def kafka_answers() -> Iterator[None]:
    """Raises KafkaAwayError for whatever a client says of a Kafka that does not answer."""
    try:
        yield
    except KafkaError as error:
        raise KafkaAwayError(f"Kafka does not answer: {error}") from error
