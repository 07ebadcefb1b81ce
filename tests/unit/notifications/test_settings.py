"""What cannot work is refused at the start."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.notifications.settings import NotificationsSettings

GOOD: dict[str, Any] = {
    "database_url": "postgresql://x", "kafka_bootstrap": "x:1", "internal_public_key": "x", "smtp_host": "mail",
    "sender_address": "points@shop.example",
}  # fmt: skip


def test_what_is_needed_is_enough() -> None:
    settings = NotificationsSettings(**GOOD)
    assert settings.smtp_timeout_s <= settings.lease_s / 2


@pytest.mark.parametrize(
    "bad",
    [
        {"sender_address": "Shop <points@shop.example>"},
        {"sender_address": "points"},
        {"sender_address": "points@shop.example\r\nBcc: x@y.z"},
        {"lease_s": 10, "smtp_timeout_s": 6},
        {"lease_s": 172_800},
        {"retry_delays_s": (60, 172_800)},
        {"smtp_port": 0},
        {"mails_per_second": -1},
    ],
)
def test_what_cannot_work_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NotificationsSettings(**(GOOD | bad))
