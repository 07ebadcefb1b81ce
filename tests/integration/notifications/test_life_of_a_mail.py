"""An event becomes one message per channel, and one mail."""

from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import World, customer, earned


async def test_points_earned_are_told_in_the_app_and_by_mail(world: World, box: MailServer) -> None:
    await world.receive(customer())
    event = earned(points=25, available=125)
    (cause,) = await world.receive(event)
    await world.send_all()

    mail, note = await world.one("email"), await world.one("inapp")
    assert (mail["status"], note["status"]) == ("sent", "sent")
    assert mail["cause_id"] == note["cause_id"] == cause
    assert mail["origin_id"] == note["origin_id"] == event.cause_id
    (sent,) = box.taken
    assert sent["to"] == "ada@example.org"
    assert sent["from"] == "Café Müller <points@treue.example>"
    assert sent["subject"] == "25 Punkte für Sie gesammelt"
    assert sent["message-id"] == f"<{mail['id']}@treue.example>"
    assert sent["auto-submitted"] == "auto-generated"
    assert sent["x-correlation-id"] == "corr-1"
    text = sent.get_body(("plain",))
    html = sent.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Hallo Ada," in text.get_content()
    assert "125 Punkte" in text.get_content()
    assert "125 Punkte" in html.get_content()
    assert [(kind, body["channel"]) for kind, body in await world.published()] == [
        ("notification.sent", "inapp"),
        ("notification.sent", "email"),
    ]
