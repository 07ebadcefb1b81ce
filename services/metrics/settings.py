"""What metrics needs to run."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class MetricsSettings(ServiceSettings):
    """Every field can be set as `METRICS_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="METRICS_", frozen=True, extra="ignore")

    batch_pool_size: int = Field(default=8, ge=1, le=100, description="Connections that the worker's lanes may hold.")
