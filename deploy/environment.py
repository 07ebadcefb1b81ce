"""The environment variables of the platform: one table, from which every way to run it is filled or checked.

The local stack (deploy/local/service_environment.py), docker-compose.yml and .env.example all hold exactly these.
A PEM may be written on one line, its line ends as backslash and n.
"""

from typing import NamedTuple

SERVICES = ("gateway", "points", "notifications", "metrics")


class Variable(NamedTuple):
    """One variable and what it means. `secret` ones have no default anywhere; `optional` ones may be left out."""

    name: str
    meaning: str
    secret: bool = False
    optional: bool = False


COMMON = (
    Variable("KAFKA_BOOTSTRAP", "Kafka's addresses, host:port, separated by commas."),
    Variable("INTERNAL_PUBLIC_KEY", "Ed25519 public key (PEM) by which services verify the gateway's internal tokens."),
    Variable("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR.", optional=True),
    Variable("OTEL_EXPORTER_OTLP_ENDPOINT", "Where traces go (OTLP over HTTP); none when empty.", optional=True),
)


def _of_every_service(prefix: str) -> tuple[Variable, ...]:
    return (
        Variable(f"{prefix}_DATABASE_URL", "PostgreSQL by the role that reads and writes rows.", secret=True),
        Variable(f"{prefix}_MIGRATION_URL", "PostgreSQL by the role that owns the schema.", secret=True),
        Variable(f"{prefix}_HOST", "The address that HTTP listens on."),
        Variable(f"{prefix}_PORT", "The port of the API."),
        Variable(f"{prefix}_WORKER_PORT", "The port of the worker's health and metrics."),
    )


_OWN = {
    "gateway": (
        Variable("GATEWAY_SIGNING_KEY", "Ed25519 private key (PEM) that signs the internal tokens.", secret=True),
        Variable("GATEWAY_KEY_PEPPER", "Secret that goes into the stored hash of each API key.", secret=True),
        Variable("GATEWAY_ADMIN_KEY", "Bearer secret of the operator: makes tenants and keys.", secret=True),
        Variable("GATEWAY_POINTS_URL", "Where the points API answers."),
        Variable("GATEWAY_NOTIFICATIONS_URL", "Where the notifications API answers."),
        Variable("GATEWAY_METRICS_URL", "Where the metrics API answers."),
    ),
    "notifications": (
        Variable("NOTIFICATIONS_SMTP_HOST", "The mail server."),
        Variable("NOTIFICATIONS_SMTP_PORT", "Its port."),
        Variable("NOTIFICATIONS_SENDER_ADDRESS", "The sender of all mails."),
    ),
}


def variables(service: str) -> tuple[Variable, ...]:
    """Everything that the processes of this service read."""
    return COMMON + _of_every_service(service.upper()) + _OWN.get(service, ())


# Only the bootstrap job and the operator's commands need the administrator's access.
DATABASE_URL = Variable("DATABASE_URL", "PostgreSQL by an administrator, for bootstrap and audit.", secret=True)
