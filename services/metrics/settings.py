"""What metrics needs to run."""

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class MetricsSettings(ServiceSettings):
    """Every field can be set as `METRICS_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="METRICS_", frozen=True, extra="ignore")
