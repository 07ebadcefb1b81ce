"""The golden files of the templates: which there are, and how they are made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.notifications.adapters.rendering import JinjaRenderer
from services.notifications.domain.message import Channel
from services.notifications.domain.templates import TEMPLATES
from tests.unit.notifications.sample import SHOP, ada

GOLDEN = Path(__file__).parent / "golden"
_WALLET: dict[str, Any] = {
    "points": 1250, "available": 12345, "pending": 0, "debt": 0, "order_id": "A-1001",
    "occurred_at": "2026-11-22T23:30:00+00:00",
}  # fmt: skip
_FACTS: dict[str, list[dict[str, Any]]] = {
    "points_earned": [
        _WALLET | {"active_from": None},
        _WALLET | {"active_from": "2026-12-05T23:00:00+00:00", "pending": 1250, "debt": 300, "order_id": None},
    ],
    "points_returned": [_WALLET, _WALLET | {"available": 0, "pending": 20, "debt": 1, "points": 1, "order_id": None}],
    "points_restored": [_WALLET, _WALLET | {"available": 0, "pending": 20, "debt": 1, "points": 1, "order_id": None}],
    "feedback_thanks": [{"kind": "nps", "order_id": None, "occurred_at": _WALLET["occurred_at"]}],
    "feedback_sorry": [{"kind": "csat", "order_id": "A-1001", "occurred_at": _WALLET["occurred_at"]}],
}


@dataclass(frozen=True)
class Case:
    template: str
    locale: str
    facts: dict[str, Any]
    name: str | None


# The second set of facts of a template is told to somebody whose name we do not know.
CASES = {
    f"{template}_{number}_{locale}": Case(template, locale, facts, None if number else "Ada Lovelace")
    for template, found in _FACTS.items()
    for number, facts in enumerate(found)
    for locale in ("de-AT", "en-GB")
}
_BY_MAIL = {template.name for template in TEMPLATES if Channel.EMAIL in template.channels}


def rendered(name: str) -> dict[str, str]:
    """What a case says, by the ending of its golden file."""
    case, renderer = CASES[name], JinjaRenderer()
    profile = ada(locale=case.locale, name=case.name)
    note = renderer.note(case.template, case.facts, profile, SHOP)
    found = {"inapp.txt": f"{note.subject}\n\n{note.text}\n"}
    if case.template in _BY_MAIL:
        mail = renderer.mail(case.template, case.facts, profile, SHOP)
        found |= {"txt": f"{mail.subject}\n\n{mail.text}", "html": mail.html or ""}
    return found


def write() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name in CASES:
        for ending, text in rendered(name).items():
            (GOLDEN / f"{name}.{ending}").write_text(text)


if __name__ == "__main__":
    write()
