"""What points needs to run."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class PointsSettings(ServiceSettings):
    """Every field can be set as `POINTS_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="POINTS_", frozen=True, extra="ignore")

    activation_interval_s: float = Field(default=1.0, gt=0, description="How often to look for points to activate.")
