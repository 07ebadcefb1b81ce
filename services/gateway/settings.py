"""What one process of the gateway needs to run; every field is `GATEWAY_<FIELD>` in the environment."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from services.gateway.ingest.models import BATCH_MAX
from shared.settings import Pem, ServiceSettings

_is_origin = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?").fullmatch


def _listed(given: Any) -> Any:
    """Separated by commas in the environment."""
    return tuple(one.strip() for one in given.split(",") if one.strip()) if isinstance(given, str) else given


def _origins(given: tuple[str, ...]) -> tuple[str, ...]:
    """Browsers send an origin in one way, and it is compared as it stands. There is no `*`: who may is named."""
    for one in given:
        if not _is_origin(one):
            raise ValueError(f"{one!r} is no origin: write https://shop.example, in small letters and without a path")
    return given


Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_origins)]


class GatewaySettings(ServiceSettings):
    """The gateway's settings. Limits are per process: set them to the platform's limit divided by its replicas."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True, extra="ignore", populate_by_name=True)

    signing_key: Pem = Field(repr=False, description="Ed25519 private key (PEM) that signs internal tokens.")
    key_pepper: SecretStr = Field(description="Goes into the stored hash of every API key.")
    admin_key: SecretStr = Field(description="The operator's credential: makes tenants and keys.")
    points_url: str = "http://127.0.0.1:8001"
    notifications_url: str = "http://127.0.0.1:8002"
    metrics_url: str = "http://127.0.0.1:8003"

    consumer_group: str = Field(default="gateway", description="Workers of one database share a group.")
    send_deadline_s: float = Field(default=1.5, gt=0, description="How long to wait for Kafka's acknowledgement.")
    future_max_s: float = Field(default=300.0, ge=0, description="How far `occurred_at` may lie ahead of our clock.")
    # A burst is at least a batch, so that whoever has rested may always send one.
    rate_per_s: float = Field(default=5_000.0, gt=0, description="Requests and events per second of one API key.")
    rate_burst: float = Field(default=10_000.0, ge=BATCH_MAX, description="The same at once.")
    tenant_rate_per_s: float = Field(default=1_000.0, gt=0, description="Events per second of one tenant.")
    tenant_rate_burst: float = Field(default=2_000.0, ge=BATCH_MAX, description="The same at once.")
    tenant_share_least: float = Field(
        default=0.1, gt=0, description="The share of its rate that a tenant keeps while points are behind."
    )
    customer_rate_per_s: float = Field(default=10.0, gt=0, description="Requests and events a second of one customer.")
    customer_rate_burst: float = Field(default=500.0, ge=BATCH_MAX, description="The same at once.")
    wrong_credentials_per_s: float = Field(default=5.0, gt=0, description="Wrong credentials a second of one address.")
    wrong_credentials_burst: float = Field(default=300.0, ge=1, description="The same at once.")
    trusted_proxies: int = Field(
        default=0, ge=0, description="Proxies of our own in front, each of which adds an address to X-Forwarded-For."
    )
    mail_smtputf8: bool = Field(
        default=False, description="Whether the mail server takes letters other than ASCII before the @ (SMTPUTF8)."
    )
    cors_origins: Origins = Field(default=(), description="Sites whose pages may ask from a browser; none by itself.")
    in_flight_max: int = Field(default=20_000, gt=0, description="Events that Kafka has not acknowledged yet.")
    in_flight_tenant_max: int = Field(default=10_000, gt=0, description="The same of one tenant.")
    recent_events_max: int = Field(
        default=50_000, ge=0, description="Events whose id is refused at once when it comes with another body."
    )
    # With what a credential and a tenant that are looked up again may take (0.3 s), two seconds in all.
    forward_timeout_s: float = Field(default=1.6, gt=0, description="How long a service may think about a question.")
    forward_connections_max: int = Field(default=100, gt=0, description="Connections to one service.")
    tenant_ready_timeout_s: float = Field(default=20.0, gt=0, description="How long a new tenant waits for services.")
