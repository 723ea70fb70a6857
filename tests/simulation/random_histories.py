"""Random histories of referrals through a year, as a person would describe them: what, and when.

Nothing here asks the product. The days are those of the center's time zone.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.identity.members import Tenant, TenantKind

YEAR_START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR_END = datetime(2027, 1, 1, tzinfo=UTC)
"""Both changes of the clocks are in between: March 8 and November 1."""

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)

_PLACES = (
    ("east", "America/New_York"),
    ("desert", "America/Phoenix"),
    ("island", "Pacific/Honolulu"),
    ("coast", "America/Los_Angeles"),
    ("lake", "America/Chicago"),
)
PRACTICES, CENTERS = (
    tuple(
        Tenant(tenant_id=f"{prefix}_{place}", kind=kind, name=f"{place} {kind}", time_zone=zone)
        for place, zone in _PLACES
    )
    for prefix, kind in (("prc", TenantKind.PRACTICE), ("ctr", TenantKind.CENTER))
)

_TO_CONDITIONED = (
    *("accepted", "consult_scheduled", "consult_completed", "center_proceed"),
    *("apheresis_scheduled", "apheresis_completed", "manufacturing_started"),
    "lymphodepletion_started",
)
_EARLY_ENDS = {"withdrawn": range(3), "declined": range(2), "not_proceeding": range(3, 9), "deceased": range(9)}
"""How a history may end before the infusion, and after how many of the stage changes to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEvent:
    """A fact that becomes known about a referral.

    Attributes:
        what: A stage, or the name of an event besides stage changes.
        at: When it becomes known.
        true_at: When it was true; for a correction, when the infusion really was.
        ends_on: The new day of the return, for an extension.
        part: Which infusion it is.
    """

    what: str
    at: datetime
    true_at: datetime
    ends_on: date | None = None
    part: int = 1


@dataclass(slots=True)
class ReferralHistory:
    """A referral's facts through the year, the submission first."""

    name: str
    practice: Tenant
    center: Tenant
    is_split: bool
    news: list[KnownEvent] = field(default_factory=list)

    @property
    def product_id(self) -> str:
        """A product with a split dose, or one without."""
        return "aucatzyl" if self.is_split else "breyanzi"


def draw_history(drawn: random.Random, name: str, *, within: timedelta, pace: float = 1) -> ReferralHistory:
    """Draw a history that begins at a random time in a part of the year.

    Args:
        drawn: The source of randomness.
        name: The referral's name.
        within: The part of the year.
        pace: By how much the days before an infusion are longer than in real life.
    """
    course = ReferralHistory(name, drawn.choice(PRACTICES), drawn.choice(CENTERS), is_split=drawn.random() < 0.2)
    at = YEAR_START + drawn.random() * within
    news = [_now("submitted", at)]
    ends_after = drawn.randrange(9) if drawn.random() < 0.15 else None
    for done, stage in enumerate((*_TO_CONDITIONED, None)):
        at += pace * _days(drawn, 0.2, 5)
        if done == ends_after:
            ends = [end for end, places in _EARLY_ENDS.items() if done in places]
            news.append(_perhaps_late(drawn, _now(drawn.choice(ends), at), submission=news[0], last=news[-1]))
            break
        if stage:
            news.append(_now(stage, at))
        if stage == "manufacturing_started" and drawn.random() < 0.15:
            news += [_now("out_of_specification", at + 3 * DAY), _now(stage, at + 5 * DAY)]
            at += 5 * DAY
    else:
        news += _held_early(drawn, news[0], by=at)
        news += _from_the_infusion(drawn, at, course)
    course.news = list(_apart(news))
    return course


def _perhaps_late(drawn: random.Random, ending: KnownEvent, *, submission: KnownEvent, last: KnownEvent) -> KnownEvent:
    """Half of the deaths become known days later, soon after a step that others still recorded."""
    if ending.what != "deceased" or drawn.random() < 0.5:
        return ending
    at = last.at + _days(drawn, 0.02, 0.3)
    return replace(ending, at=at, true_at=max(submission.at, at - _days(drawn, 0.2, 20)))


def _held_early(drawn: random.Random, submission: KnownEvent, *, by: datetime) -> Iterator[KnownEvent]:
    """A hold while the center should answer, or soon after."""
    held = submission.at + _days(drawn, 0.2, 3)
    over = held + _days(drawn, 0.5, 8)
    if drawn.random() < 0.3 and over < by:
        yield _now("hold_started", held)
        yield _now("hold_ended", over)


def _from_the_infusion(drawn: random.Random, after: datetime, course: ReferralHistory) -> list[KnownEvent]:
    zone = ZoneInfo(course.center.time_zone)
    true_at = after + _days(drawn, 3, 8)
    if drawn.random() < 0.3:
        # An evening that is tomorrow in UTC.
        true_at = datetime.combine(true_at.astimezone(zone), time(23, 30), zone).astimezone(UTC)
    day_0 = true_at.astimezone(zone).date()
    known = true_at + _delay(drawn)
    news = [KnownEvent(what="infused", at=known, true_at=true_at)]
    if course.is_split:
        second = true_at + _days(drawn, 8, 11)
        known = max(second, known) + _delay(drawn, longest=5)
        news.append(KnownEvent(what="infused", at=known, true_at=second, part=2))
    watched = known + 3 * DAY
    news.append(_now("monitoring", watched))
    news += _beside(drawn, news[0])
    extended = watched
    if drawn.random() < 0.3:
        extended = max(watched, true_at + 12 * DAY) + _days(drawn, 0.1, 14)
        to = day_0 + drawn.randint(20, 45) * DAY
        news.append(replace(_now("extended", extended), ends_on=to))
    if not course.is_split and drawn.random() < 0.3:
        news += _corrections(drawn, news[0], after=watched)
    complete = max(extended + DAY, true_at + _days(drawn, 26, 34))
    news += _after_the_window(drawn, complete)
    return _until_a_death(drawn, sorted(news, key=_at), known)


def _beside(drawn: random.Random, infusion: KnownEvent) -> Iterator[KnownEvent]:
    """Events besides stage changes: a toxicity, a hold or two."""
    if drawn.random() < 0.3:
        yield _now("toxicity", infusion.at + _days(drawn, 0.1, 10))
    at = infusion.at
    for _ in range(drawn.choice([0, 0, 0, 1, 2])):
        held = at + _days(drawn, 0.3, 25)
        at = held + _days(drawn, 0.1, 12)
        yield _now("hold_started", held)
        yield _now("hold_ended", at)


def _corrections(drawn: random.Random, infusion: KnownEvent, *, after: datetime) -> Iterator[KnownEvent]:
    """A corrected date of the infusion; sometimes the first one was right after all."""
    at = after + _days(drawn, 0.1, 18)
    off = drawn.choice([-2, -1, 1, 2]) * DAY
    yield KnownEvent(what="corrected", at=at, true_at=infusion.true_at + off)
    if drawn.random() < 0.5:
        back = at + _days(drawn, 0.1, 6)
        yield KnownEvent(what="corrected", at=back, true_at=infusion.true_at)


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
        at += _days(drawn, 0.05, longest)
        yield _now(stage, at)


def _until_a_death(drawn: random.Random, news: list[KnownEvent], after: datetime) -> list[KnownEvent]:
    """A fifth of all die; some of these deaths were reported in error, and half of them late.

    Until a death is known, others report what they believe, even that the patient's care was transferred.
    """
    if drawn.random() > 0.2:
        return news
    died, known = after + _days(drawn, 0.1, 90), timedelta()
    if drawn.random() < 0.5:
        watched = next(each.at for each in news if each.what == "monitoring")
        died, known = max(died, watched + DAY / 8), _days(drawn, 0.2, 20)
    news = [each for each in news if each.at < died + known]
    if known and drawn.random() < 0.7:
        # Soon after the last news, of which an email may still wait.
        known = max(news[-1].at - died, timedelta()) + _days(drawn, 0.02, 0.3)
    if not known and news[-1].what in {"transferred_care", "lost_to_follow_up"}:
        return news
    news.append(KnownEvent(what="deceased", at=died + known, true_at=died))
    if drawn.random() < 0.3:
        news.append(_now("reopened", died + known + _days(drawn, 0.1, 6)))
    return news


def _apart(news: Sequence[KnownEvent]) -> Iterator[KnownEvent]:
    """Order the facts, ten minutes apart, never at the minute of a job, and none after the end."""
    last = YEAR_START
    for each in sorted(news, key=_at):
        is_now = each.true_at == each.at
        last = max(each.at, last + 10 * MINUTE).replace(second=30, microsecond=0)
        if last >= YEAR_END:
            return
        yield replace(each, at=last, true_at=last if is_now else each.true_at)


def _now(what: str, at: datetime) -> KnownEvent:
    return KnownEvent(what=what, at=at, true_at=at)


def _at(news: KnownEvent) -> datetime:
    return news.at


def _days(drawn: random.Random, least: float, most: float) -> timedelta:
    return timedelta(seconds=round(86_400 * drawn.uniform(least, most)))


def _delay(drawn: random.Random, *, longest: float = 20) -> timedelta:
    """Mostly a fact becomes known within hours, and sometimes after weeks."""
    return _days(drawn, 1, longest) if drawn.random() < 0.15 else _days(drawn, 0, 0.1)
