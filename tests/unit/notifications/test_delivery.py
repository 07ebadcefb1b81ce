"""What follows from the mail server's answer."""

import aiosmtplib
import pytest

from services.notifications.adapters.smtp import answer_of
from services.notifications.domain.delivery import Answer, Stage, consequence
from services.notifications.domain.message import Status

DELAYS = (60.0, 300.0, 1800.0)


def refused(code: int, words: str) -> Exception:
    return aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(code, words, "ada@example.org")])


@pytest.mark.parametrize(
    ("answer", "status", "suppress"),
    [
        (Answer(Stage.ACCEPTED, 250), Status.SENT, False),
        (Answer(Stage.RECIPIENT, 550, "5.1.1"), Status.BOUNCED, True),
        (Answer(Stage.RECIPIENT, 550), Status.BOUNCED, True),
        (Answer(Stage.RECIPIENT, 554, "5.7.1"), Status.BOUNCED, False),
        (Answer(Stage.RECIPIENT, 552, "5.2.2"), Status.BOUNCED, False),
        (Answer(Stage.RECIPIENT, 451, "4.3.2"), Status.QUEUED, False),
        (Answer(Stage.CONTENT, 554, "5.7.1"), Status.FAILED, False),
        (Answer(Stage.CONTENT, 452), Status.QUEUED, False),
        (Answer(Stage.SENDER, 553), Status.QUEUED, False),
        (Answer(Stage.CONNECTION), Status.QUEUED, False),
    ],
)
def test_the_first_answer(answer: Answer, status: Status, suppress: bool) -> None:
    found = consequence(answer, 1, DELAYS)
    assert (found.status, found.suppress) == (status, suppress)
    assert (found.reason is None) == (status is Status.SENT)


def test_not_now_comes_again_later_and_later_and_then_fails() -> None:
    answer = Answer(Stage.RECIPIENT, 451)
    found = [consequence(answer, attempts, DELAYS) for attempts in range(1, 5)]
    assert [each.delay_s for each in found[:3]] == [60, 300, 1800]
    assert found[3].status is Status.FAILED
    assert found[3].reason == "smtp_451"


def test_a_broken_connection_does_not_count() -> None:
    found = consequence(Answer(Stage.CONNECTION), 99, DELAYS)
    assert (found.status, found.counts) == (Status.QUEUED, False)


def test_a_message_that_always_breaks_the_connection_comes_ever_later() -> None:
    delays = [consequence(Answer(Stage.CONNECTION), 1, DELAYS, hang_ups=number).delay_s for number in range(20)]
    assert delays == sorted(delays)
    assert delays[0] <= 1
    assert delays[-1] == 3600


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (refused(550, "5.1.1 no"), (Stage.RECIPIENT, 550, "5.1.1")),
        (refused(451, "later"), (Stage.RECIPIENT, 451, "")),
        (refused(421, "bye"), (Stage.CONNECTION, 421, "")),
        (aiosmtplib.SMTPSenderRefused(553, "5.1.8 who?", "x@y.z"), (Stage.SENDER, 553, "5.1.8")),
        (aiosmtplib.SMTPDataError(554, "5.7.1 spam"), (Stage.CONTENT, 554, "5.7.1")),
        (aiosmtplib.SMTPNotSupported("no SMTPUTF8"), (Stage.CONTENT, 553, "5.6.7")),
        (aiosmtplib.SMTPServerDisconnected("gone"), (Stage.CONNECTION, 0, "")),
        (aiosmtplib.SMTPReadTimeoutError("slow"), (Stage.CONNECTION, 0, "")),
        (OSError("reset"), (Stage.CONNECTION, 0, "")),
        (ValueError("no address"), (Stage.RECIPIENT, 553, "5.1.3")),
    ],
)  # fmt: skip
def test_what_the_libraries_exceptions_say(error: Exception, wanted: tuple[Stage, int, str]) -> None:
    assert answer_of(error) == Answer(*wanted)
