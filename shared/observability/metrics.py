"""Every Prometheus metric of the platform, with what it means. Names are `treue_<noun>_<unit>`.

They are defined here and nowhere else: a metric that is not in this file is a type error, and this file is their
documentation. A label never holds an id: routes are templates, causes and reasons come from closed lists.
"""

from prometheus_client import Counter, Gauge, Histogram

_QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BATCH = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_AGE = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
_SERVICE = ("service",)
_TOPIC = ("service", "topic")
_PARTITION = ("service", "topic", "partition")

# -- HTTP ---------------------------------------------------------------------------------------------------------

HTTP_REQUEST_SECONDS = Histogram(
    "treue_http_request_seconds",
    "Time from a request's headers to the end of its answer; its count gives rate and errors too.",
    ("service", "route", "method", "status"),
    buckets=_QUICK,
)
HTTP_REQUESTS_IN_FLIGHT = Gauge("treue_http_requests_in_flight", "Requests being answered now.", _SERVICE)

# -- Consumers ----------------------------------------------------------------------------------------------------

EVENTS_CONSUMED = Counter("treue_events_consumed", "Records taken from Kafka in committed batches.", _TOPIC)
EVENTS_APPLIED = Counter("treue_events_applied", "Events that had their effect.", _TOPIC)
EVENTS_REJECTED = Counter("treue_events_rejected", "Events that a rule of the business refused.", _TOPIC)
EVENTS_DUPLICATE = Counter("treue_events_duplicate", "Events skipped because their id was known already.", _TOPIC)
EVENTS_CONFLICT = Counter("treue_events_conflict", "Events whose known id came with another body.", _TOPIC)
EVENTS_DEAD_LETTERED = Counter("treue_events_dead_lettered", "Events set aside because they can never apply.", _TOPIC)
EVENTS_IGNORED = Counter("treue_events_ignored", "Events of a type that this service does not handle.", _TOPIC)
EVENTS_PARKED = Counter("treue_events_parked", "Events kept until what they depend on arrives.", _TOPIC)
BATCH_SECONDS = Histogram("treue_batch_seconds", "Time to apply and commit one batch.", _SERVICE, buckets=_BATCH)
BATCH_EVENTS = Histogram(
    "treue_batch_events", "Records in one committed batch.", _SERVICE, buckets=(1, 5, 20, 100, 250, 500, 1000, 2000)
)
EVENT_AGE_SECONDS = Histogram(
    "treue_event_age_seconds", "Age of an event since its intake when its effect is committed.", _TOPIC, buckets=_AGE
)
CONSUMER_LAG = Gauge("treue_consumer_lag_records", "Records of a partition that are not applied yet.", _PARTITION)
CONSUMER_POSITION = Gauge("treue_consumer_position_offset", "The next offset to apply, as committed.", _PARTITION)
REBALANCES = Counter("treue_consumer_rebalances", "Times that partitions were handed out anew.", _SERVICE)
RETRIES = Counter("treue_retries", "Attempts repeated after a passing failure, by its cause.", ("service", "cause"))

# -- Outbox and producer ------------------------------------------------------------------------------------------

OUTBOX_ROWS = Gauge("treue_outbox_rows", "Transactions whose events wait to be published.", _SERVICE)
OUTBOX_AGE_SECONDS = Gauge("treue_outbox_age_seconds", "Age of the oldest unpublished transaction.", _SERVICE)
OUTBOX_PUBLISHED = Counter("treue_outbox_published_records", "Records published from the outbox.", _TOPIC)
PRODUCER_SENDS = Counter("treue_producer_sends", "Records that Kafka acknowledged.", _TOPIC)
PRODUCER_FAILURES = Counter("treue_producer_failures", "Sends without an acknowledgement.", ("service", "cause"))
PRODUCER_SECONDS = Histogram("treue_producer_seconds", "Time to an acknowledgement.", _SERVICE, buckets=_BATCH)
PRODUCER_REBUILDS = Counter("treue_producer_rebuilds", "Times that a broken producer was replaced.", _SERVICE)

# -- Messages to customers ----------------------------------------------------------------------------------------

MESSAGES_SENT = Counter("treue_messages_sent", "Messages that the next hop took.", ("channel", "template"))
MESSAGES_SKIPPED = Counter("treue_messages_skipped", "Messages deliberately not sent.", ("reason",))
MESSAGES_FAILED = Counter("treue_messages_failed", "Attempts that the next hop did not take.", ("channel", "cause"))

# -- Database -----------------------------------------------------------------------------------------------------

DB_POOL_CONNECTIONS = Gauge("treue_db_pool_connections", "Open connections.", ("service", "pool", "state"))
DB_POOL_WAIT_SECONDS = Histogram(
    "treue_db_pool_wait_seconds", "Time until the pool gave a connection.", ("service", "pool"), buckets=_QUICK
)
