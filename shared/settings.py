"""Settings that every service has. They are built once, in a service's __main__, and handed down; nothing else reads
the environment. A service's own settings derive from these with the prefix of its name."""

from typing import Annotated

from pydantic import AfterValidator, AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _pem(text: str) -> str:
    """Environment files carry a PEM on one line, its line ends written as backslash and n."""
    return text.replace("\\n", "\n")


Pem = Annotated[str, AfterValidator(_pem)]


class ServiceSettings(BaseSettings):
    """What one process of a service needs to run. Every field can be set as `<SERVICE>_<FIELD>`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="The service's own database, by its own role: postgresql://...")
    migration_url: SecretStr | None = Field(default=None, description="The same by the role that owns the schema.")
    kafka_bootstrap: str = Field(validation_alias=AliasChoices("kafka_bootstrap", "KAFKA_BOOTSTRAP"))
    internal_public_key: Pem = Field(validation_alias=AliasChoices("internal_public_key", "INTERNAL_PUBLIC_KEY"))
    host: str = "127.0.0.1"
    port: int = 8000
    worker_port: int = 0
    log_level: str = Field(default="INFO", validation_alias=AliasChoices("log_level", "LOG_LEVEL"))
    otlp_endpoint: str | None = Field(
        default=None, validation_alias=AliasChoices("otlp_endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT")
    )
    pool_size: int = Field(default=8, ge=1, le=100, description="Connections that the HTTP side may hold.")
    batch_pool_size: int = Field(default=8, ge=1, le=100, description="Connections that the worker's lanes may hold.")
    shutdown_timeout_s: float = Field(default=20.0, gt=0)
