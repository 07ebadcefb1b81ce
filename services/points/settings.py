"""What points needs to run."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class PointsSettings(ServiceSettings):
    """Every field can be set as `POINTS_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="POINTS_", frozen=True, extra="ignore")

    batch_pool_size: int = Field(default=8, ge=1, le=100, description="Connections that the worker's lanes may hold.")
    activation_interval_s: float = Field(default=1.0, gt=0, description="How often to look for points to activate.")
