"""Random histories of referrals through a year, as a person would describe them: what, and when.

Nothing here asks the product. The days are those of the center's time zone.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.simulation.known_events import (
    CENTERS,
    DAY,
    MINUTE,
    PRACTICES,
    PRODUCTS,
    SPLIT_PRODUCT,
    YEAR_END,
    YEAR_START,
    KnownEvent,
    ReferralHistory,
    draw_days,
    get_known_at,
    happen_now,
)
from tests.simulation.plan_histories import with_plans
from tests.simulation.product_histories import draw_requested, with_products

_TO_CONDITIONED = (
    *("accepted", "consult_scheduled", "consult_completed", "center_proceed"),
    *("apheresis_scheduled", "apheresis_completed", "manufacturing_started"),
    "lymphodepletion_started",
)
_EARLY_ENDS = {"withdrawn": range(3), "declined": range(2), "not_proceeding": range(3, 9), "deceased": range(9)}
"""How a history may end before the infusion, and after how many of the stage changes to it."""


def draw_history(
    drawn: random.Random, name: str, *, within: timedelta, pace: float = 1, near: ReferralHistory | None = None
) -> ReferralHistory:
    """Draw a history that begins at a random time in a part of the year.

    Args:
        drawn: The source of randomness.
        name: The referral's name.
        within: The part of the year.
        pace: By how much the days before an infusion are longer than in real life.
        near: Another referral that some come soon after, to the same center, where both book from the same times.
    """
    course = _draw_referral(drawn, name, near if drawn.random() < 0.6 else None)
    at = YEAR_START + drawn.random() * within
    if near and course.center is near.center:
        at = min(YEAR_START + within, near.news[0].at + draw_days(drawn, 0, 1.5))
    news = [happen_now("submitted", at)]
    ends_after = drawn.randrange(9) if drawn.random() < 0.15 else None
    for done, stage in enumerate((*_TO_CONDITIONED, None)):
        at += pace * draw_days(drawn, 0.2, 5)
        if done == ends_after:
            ends = [end for end, places in _EARLY_ENDS.items() if done in places]
            news.append(_perhaps_late(drawn, happen_now(drawn.choice(ends), at), submission=news[0], last=news[-1]))
            break
        if stage:
            news.append(happen_now(stage, at))
        if stage == "manufacturing_started" and drawn.random() < 0.15:
            news += [happen_now("out_of_specification", at + 3 * DAY), happen_now(stage, at + 5 * DAY)]
            at += 5 * DAY
    else:
        news += _held_early(drawn, news[0], by=at)
        news += _from_the_infusion(drawn, at, course)
    news = with_products(drawn, course, news)
    course.news = list(_apart(list(with_plans(drawn, course, news))))
    return course


def _draw_referral(drawn: random.Random, name: str, near: ReferralHistory | None) -> ReferralHistory:
    practice, center = drawn.choice(PRACTICES), near.center if near else drawn.choice(CENTERS)
    is_split = drawn.random() < 0.2
    product_id = (
        SPLIT_PRODUCT if is_split else drawn.choice([e for e in PRODUCTS[center.tenant_id] if e != SPLIT_PRODUCT])
    )
    requested = draw_requested(drawn, PRODUCTS[center.tenant_id], product_id)
    return ReferralHistory(name, practice, center, product_id, requested)


def _perhaps_late(drawn: random.Random, ending: KnownEvent, *, submission: KnownEvent, last: KnownEvent) -> KnownEvent:
    """Half of the deaths become known days later, soon after a step that others still recorded."""
    if ending.what != "deceased" or drawn.random() < 0.5:
        return ending
    at = last.at + draw_days(drawn, 0.02, 0.3)
    return replace(ending, at=at, true_at=max(submission.at, at - draw_days(drawn, 0.2, 20)))


def _held_early(drawn: random.Random, submission: KnownEvent, *, by: datetime) -> Iterator[KnownEvent]:
    """A hold while the center should answer, or soon after."""
    held = submission.at + draw_days(drawn, 0.2, 3)
    over = held + draw_days(drawn, 0.5, 8)
    if drawn.random() < 0.3 and over < by:
        yield happen_now("hold_started", held)
        yield happen_now("hold_ended", over)


def _from_the_infusion(drawn: random.Random, after: datetime, course: ReferralHistory) -> list[KnownEvent]:
    zone = ZoneInfo(course.center.time_zone)
    true_at = after + draw_days(drawn, 3, 8)
    if drawn.random() < 0.3:
        # An evening that is tomorrow in UTC.
        true_at = datetime.combine(true_at.astimezone(zone), time(23, 30), zone).astimezone(UTC)
    day_0 = true_at.astimezone(zone).date()
    known = true_at + _delay(drawn)
    news = [KnownEvent(what="infused", at=known, true_at=true_at)]
    if course.is_split:
        second = true_at + draw_days(drawn, 8, 11)
        known = max(second, known) + _delay(drawn, longest=5)
        news.append(KnownEvent(what="infused", at=known, true_at=second, part=2))
    watched = known + 3 * DAY
    news.append(happen_now("monitoring", watched))
    news += _draw_other_events(drawn, news[0])
    extended = watched
    if drawn.random() < 0.3:
        extended = max(watched, true_at + 12 * DAY) + draw_days(drawn, 0.1, 14)
        to = day_0 + drawn.randint(20, 45) * DAY
        news.append(replace(happen_now("extended", extended), ends_on=to))
    if not course.is_split and drawn.random() < 0.3:
        news += _corrections(drawn, news[0], after=watched)
    complete = max(extended + DAY, true_at + draw_days(drawn, 26, 34))
    news += _after_the_window(drawn, complete)
    return _until_a_death(drawn, sorted(news, key=get_known_at), known)


def _draw_other_events(drawn: random.Random, infusion: KnownEvent) -> Iterator[KnownEvent]:
    """Events that are no stage changes: a toxicity, a hold or two."""
    if drawn.random() < 0.3:
        yield happen_now("toxicity", infusion.at + draw_days(drawn, 0.1, 10))
    at = infusion.at
    for _ in range(drawn.choice([0, 0, 0, 1, 2])):
        held = at + draw_days(drawn, 0.3, 25)
        at = held + draw_days(drawn, 0.1, 12)
        yield happen_now("hold_started", held)
        yield happen_now("hold_ended", at)


def _corrections(drawn: random.Random, infusion: KnownEvent, *, after: datetime) -> Iterator[KnownEvent]:
    """A corrected date of the infusion; sometimes the first one was right after all."""
    at = after + draw_days(drawn, 0.1, 18)
    off = drawn.choice([-2, -1, 1, 2]) * DAY
    yield KnownEvent(what="corrected", at=at, corrects="infused", true_at=infusion.true_at + off)
    if drawn.random() < 0.5:
        back = at + draw_days(drawn, 0.1, 6)
        yield KnownEvent(what="corrected", at=back, corrects="infused", true_at=infusion.true_at)


def _after_the_window(drawn: random.Random, at: datetime) -> Iterator[KnownEvent]:
    """How far a patient comes back: not at all, returned, acknowledged, in follow-up."""
    for stage, chance, longest in (
        ("window_complete", 0.85, 0.1),
        ("handback_ready", 0.9, 5),
        ("handed_back", 0.65, 8),
        ("follow_up", 0.6, 20),
        (drawn.choice(["transferred_care", "lost_to_follow_up"]), 0.25, 100),
    ):
        if drawn.random() > chance:
            return
        at += draw_days(drawn, 0.05, longest)
        yield happen_now(stage, at)


def _until_a_death(drawn: random.Random, news: list[KnownEvent], after: datetime) -> list[KnownEvent]:
    """A fifth of all die; some of these deaths were reported in error, and half of them late.

    Until a death is known, others report what they believe, even that the patient's care was transferred.
    """
    if drawn.random() > 0.2:
        return news
    died, known = after + draw_days(drawn, 0.1, 90), timedelta()
    if drawn.random() < 0.5:
        watched = next(each.at for each in news if each.what == "monitoring")
        died, known = max(died, watched + DAY / 8), draw_days(drawn, 0.2, 20)
    news = [each for each in news if each.at < died + known]
    if known and drawn.random() < 0.7:
        # Soon after the last news, of which an email may still wait.
        known = max(news[-1].at - died, timedelta()) + draw_days(drawn, 0.02, 0.3)
    if not known and news[-1].what in {"transferred_care", "lost_to_follow_up"}:
        return news
    news.append(KnownEvent(what="deceased", at=died + known, true_at=died))
    if drawn.random() < 0.3:
        news.append(happen_now("reopened", died + known + draw_days(drawn, 0.1, 6)))
    return news


def _apart(news: Sequence[KnownEvent]) -> Iterator[KnownEvent]:
    """Order the facts, ten minutes apart, never at the minute of a job, and none after the end."""
    last = YEAR_START
    for each in sorted(news, key=get_known_at):
        is_now = each.true_at == each.at
        last = max(each.at, last + 10 * MINUTE).replace(second=30, microsecond=0)
        if last >= YEAR_END:
            return
        yield replace(each, at=last, true_at=last if is_now else each.true_at)


def _delay(drawn: random.Random, *, longest: float = 20) -> timedelta:
    """Mostly a fact becomes known within hours, and sometimes after weeks."""
    return draw_days(drawn, 1, longest) if drawn.random() < 0.15 else draw_days(drawn, 0, 0.1)
