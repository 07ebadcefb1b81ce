"""The environment variables of the platform: one table, from which every way to run it is filled or checked.

The local stack (deploy/local/service_environment.py), docker-compose.yml and .env.example all hold exactly these.
A PEM may be written on one line, its line ends as backslash and n.
"""

from typing import NamedTuple

SERVICES = ("gateway", "points", "notifications", "metrics")


class Variable(NamedTuple):
    """One variable, what it means, and what it is under docker compose. A `secret` one has no default anywhere, an
    `optional` one may be absent: the service knows what it means then."""

    name: str
    meaning: str
    example: str = ""
    secret: bool = False
    optional: bool = False


COMMON = (
    Variable("KAFKA_BOOTSTRAP", "Kafka's addresses, host:port, separated by commas.", "kafka:9092"),
    Variable(
        "INTERNAL_PUBLIC_KEY",
        "Ed25519 public key (PEM) by which services verify the gateway's internal tokens.",
        secret=True,  # not a secret in itself, but one half of a pair
    ),
    Variable("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR.", "INFO", optional=True),
    Variable("OTEL_EXPORTER_OTLP_ENDPOINT", "Where traces go (OTLP over HTTP); nowhere without it.", optional=True),
)

# Only the bootstrap job reads these: the services' roles are made by an administrator.
BOOTSTRAP = (
    Variable("DATABASE_URL", "PostgreSQL by an administrator: makes roles and schemas.", secret=True),
    Variable("AUDITOR_DATABASE_URL", "PostgreSQL by the role that reads everything and writes nothing.", secret=True),
)


def _of_every_service(prefix: str) -> tuple[Variable, ...]:
    return (
        Variable(f"{prefix}_DATABASE_URL", "PostgreSQL by the role that reads and writes rows.", secret=True),
        Variable(f"{prefix}_MIGRATION_URL", "PostgreSQL by the role that owns the schema.", secret=True),
        Variable(f"{prefix}_HOST", "The address that HTTP listens on.", "0.0.0.0"),  # noqa: S104 - inside a container
        Variable(f"{prefix}_PORT", "The port of the API.", "8000"),
        Variable(f"{prefix}_WORKER_PORT", "The port of the worker's health and metrics.", "8001"),
    )


_OWN = {
    "gateway": (
        Variable("GATEWAY_SIGNING_KEY", "Ed25519 private key (PEM) that signs the internal tokens.", secret=True),
        Variable("GATEWAY_KEY_PEPPER", "Secret that goes into the stored hash of each API key.", secret=True),
        Variable("GATEWAY_ADMIN_KEY", "Bearer secret of the operator: makes tenants and keys.", secret=True),
        Variable("GATEWAY_POINTS_URL", "Where the points API answers.", "http://points-api:8000"),
        Variable("GATEWAY_NOTIFICATIONS_URL", "Where the notifications API answers.", "http://notifications-api:8000"),
        Variable("GATEWAY_METRICS_URL", "Where the metrics API answers.", "http://metrics-api:8000"),
        # Limits of each gateway process: with n of them, the n-th part of what the platform shall take.
        Variable("GATEWAY_RATE_PER_S", "Requests and events a second of one API key.", "5000", optional=True),
        Variable("GATEWAY_RATE_BURST", "The same at once, 500 or more.", "10000", optional=True),
        Variable("GATEWAY_TENANT_RATE_PER_S", "Events a second of one tenant.", "1000", optional=True),
        Variable("GATEWAY_TENANT_RATE_BURST", "The same at once, 500 or more.", "2000", optional=True),
        Variable(
            "GATEWAY_TENANT_SHARE_LEAST", "What a tenant keeps of it while points are behind.", "0.1", optional=True
        ),
        Variable("GATEWAY_CUSTOMER_RATE_PER_S", "Requests a second of one customer.", "10", optional=True),
        Variable("GATEWAY_CUSTOMER_RATE_BURST", "The same at once, 500 or more.", "500", optional=True),
        Variable("GATEWAY_WRONG_CREDENTIALS_PER_S", "Wrong credentials a second of one address.", "5", optional=True),
        Variable("GATEWAY_WRONG_CREDENTIALS_BURST", "The same at once.", "300", optional=True),
        Variable(
            "GATEWAY_MAIL_SMTPUTF8",
            "Whether the mail server takes letters other than ASCII before the @ of an address (SMTPUTF8).",
            "false",
            optional=True,
        ),
        Variable(
            "GATEWAY_TRUSTED_PROXIES",
            "Your proxies in front of it, each of which adds an address to X-Forwarded-For; 0 believes no such header.",
            "0",
            optional=True,
        ),
        Variable(
            "GATEWAY_CORS_ORIGINS",
            "Sites whose pages may ask from a browser, https://shop.example, separated by commas; none without it.",
            optional=True,
        ),
    ),
    "notifications": (
        Variable("NOTIFICATIONS_SMTP_HOST", "The mail server.", "mail"),
        Variable("NOTIFICATIONS_SMTP_PORT", "Its port.", "1025"),
        Variable("NOTIFICATIONS_SENDER_ADDRESS", "The sender of all mails.", "treue@example.org"),
        Variable("NOTIFICATIONS_SMTP_SECURITY", "tls, starttls, none or auto.", "auto", optional=True),
        Variable("NOTIFICATIONS_SMTP_USERNAME", "Who logs in to the mail server; nobody without it.", optional=True),
        Variable("NOTIFICATIONS_SMTP_PASSWORD", "Their password.", optional=True),
    ),
}


def own_variables(service: str) -> tuple[Variable, ...]:
    """What only this service reads."""
    return _of_every_service(service.upper()) + _OWN.get(service, ())


def variables(service: str) -> tuple[Variable, ...]:
    """Everything that the processes of this service read."""
    return COMMON + own_variables(service)
