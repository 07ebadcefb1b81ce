"""What notifications needs to run."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from services.notifications.adapters.smtp import Security
from services.notifications.domain.delivery import LONGEST_PAUSE_S
from shared.settings import ServiceSettings


def _address(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or any(character.isspace() for character in text):
        raise ValueError("a plain address is wanted, such as points@shop.example")
    return text


_Pause = Annotated[float, Field(ge=0, le=LONGEST_PAUSE_S)]


class NotificationsSettings(ServiceSettings):
    """Every field can be set as `NOTIFICATIONS_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATIONS_", frozen=True, extra="ignore")

    smtp_host: str
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Security = Field(default="auto", description="tls, starttls, none; auto: starttls where offered.")
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_timeout_s: float = Field(default=45.0, gt=0, description="For the whole dialogue about one mail.")
    sender_address: Annotated[str, AfterValidator(_address)] = Field(description="The sender of all mails.")

    senders: int = Field(default=2, ge=1, le=50, description="Connections to the mail server of one worker.")
    mails_per_second: float = Field(default=50.0, ge=0, description="At most, of one worker; 0: as fast as it goes.")
    mail_batch: int = Field(default=20, ge=1, le=500, description="Mails that a sender takes at once.")
    lease_s: float = Field(
        default=120.0, gt=0, le=LONGEST_PAUSE_S, description="How long mails that were taken are one sender's."
    )
    mail_poll_s: float = Field(default=0.2, gt=0, description="How often to look for mails that are due.")
    sweep_poll_s: float = Field(default=1.0, gt=0, description="How often to look who waited in vain.")
    retry_delays_s: tuple[_Pause, ...] = Field(
        default=(60, 300, 1_800, 7_200, 28_800, LONGEST_PAUSE_S),
        description="Pauses after each `not now`; a day at most.",
    )

    @model_validator(mode="after")
    def _a_mail_ends_within_its_lease(self) -> Self:
        """A mail is begun in the first half of the lease; ended after it, somebody else may have sent it too."""
        if self.smtp_timeout_s > self.lease_s / 2:
            raise ValueError("smtp_timeout_s must be at most half of lease_s")
        return self
