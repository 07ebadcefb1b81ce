"""Answers: each customer's last one in the period speaks."""

from datetime import timedelta

from services.metrics.adapters import queries
from services.metrics.domain.figures import PromoterScore
from tests.support.metrics import NOON, Metrics, Shop

MARCH = ("2026-03-01", "2026-04-01")


async def score(metrics: Metrics, shop: Shop) -> PromoterScore:
    return await metrics.figure(queries.promoter_score, shop, *MARCH)  # type: ignore[no-any-return]


async def test_promoters_passives_detractors(metrics: Metrics, shop: Shop) -> None:
    outcomes = await metrics.outcomes(*(shop.answered(f"a{n}", n, f"c{n}") for n in range(11)))

    assert outcomes[9].effects == ({"kind": "feedback.counted", "feedback": "nps", "score": 9},)
    found = await score(metrics, shop)
    assert (found, found.passives) == (PromoterScore(11, 2, 7), 2)


async def test_the_last_answer_of_a_customer_speaks(metrics: Metrics, shop: Shop) -> None:
    await metrics.apply([shop.answered("late", 10, at=NOON + timedelta(hours=1)), shop.answered("early", 0)])
    await metrics.apply([shop.answered("after the period", 0, at=NOON + timedelta(days=40))])

    assert await score(metrics, shop) == PromoterScore(1, 1, 0)


async def test_answers_at_the_same_instant_are_told_apart_by_their_id(metrics: Metrics, shop: Shop) -> None:
    answers = [shop.answered("one", 0), shop.answered("two", 10)]
    await metrics.apply(answers)

    last = max(answers, key=lambda each: each.id)
    assert (await score(metrics, shop)).promoters == int(last.event.score == 10)  # type: ignore[attr-defined]


async def test_scales_are_never_mixed(metrics: Metrics, shop: Shop) -> None:
    off, _ = await metrics.outcomes(shop.answered("ces", 8, kind="ces"), shop.answered("csat", 5, kind="csat"))

    assert (off.status, off.reason) == ("rejected", "score_off_scale")
    assert await score(metrics, shop) == PromoterScore(0, 0, 0)
