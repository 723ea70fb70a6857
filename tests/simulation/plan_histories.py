"""Adds dates ahead to a random history: planned, moved, repeated, canceled, and reported late."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.simulation.known_events import AGAIN, DAY, ENDINGS, KnownEvent, ReferralHistory, draw_days, get_known_at


class PlanTime(NamedTuple):
    """When a date is planned: from one status on, and mostly until another one."""

    begins: str
    ends: str


PLAN_TIMES: Mapping[str, PlanTime] = {
    "consultation": PlanTime("accepted", "consult_completed"),
    "leukapheresis": PlanTime("center_proceed", "apheresis_completed"),
    "delivery": PlanTime("manufacturing_started", "lymphodepletion_started"),
    "lymphodepletion": PlanTime("apheresis_completed", "lymphodepletion_started"),
    "infusion": PlanTime("center_proceed", "infused"),
    "return": PlanTime("infused", "handed_back"),
}
_WITH_A_DATE = {"consult_scheduled": "consultation", "apheresis_scheduled": "leukapheresis"}
_PLACES = (None, "Building 4", "Second floor")


def with_plans(drawn: random.Random, course: ReferralHistory, news: Sequence[KnownEvent]) -> Iterator[KnownEvent]:
    """Add dates to the statuses that carry one, and reports of planned dates.

    Nothing is reported between an ending and its reopening.
    """
    ordered = sorted(news, key=get_known_at)
    closed = [each for each in ordered if each.what in ENDINGS or each.what == "reopened"]
    reports = [
        report
        for plan, times in PLAN_TIMES.items()
        for report in _draw_reports(drawn, course, plan, times, ordered)
        if not closed or report.at < closed[0].at
    ]
    yield from reports
    for event in ordered:
        if event.what in _WITH_A_DATE and drawn.random() < 0.7:
            scheduled = _with_date(drawn, course, event, reports)
            yield scheduled
            yield from _draw_same_status(drawn, course, scheduled, before=_find_next(ordered, event))
        else:
            yield event
    if closed and closed[-1].what == "reopened" and drawn.random() < 0.5:
        at = closed[-1].at + draw_days(drawn, 0.1, 10)
        plan = "return" if any(each.what == "infused" for each in ordered) else "infusion"
        yield _plan(plan, at, _draw_day(drawn, course, at))


def _with_date(
    drawn: random.Random, course: ReferralHistory, event: KnownEvent, reports: Sequence[KnownEvent]
) -> KnownEvent:
    """A status with its date; half of them with the one that was planned before."""
    plan = _WITH_A_DATE[event.what]
    days = [each.planned_for for each in reports if each.plan == plan and each.at < event.at and each.planned_for]
    day = days[-1] if days and drawn.random() < 0.5 else _draw_day(drawn, course, event.at)
    return replace(event, plan=plan, planned_for=day, place=drawn.choice(_PLACES))


def _draw_same_status(
    drawn: random.Random, course: ReferralHistory, scheduled: KnownEvent, *, before: datetime | None
) -> Iterator[KnownEvent]:
    """Sometimes report the same status again before the next one: with another date, or with the same one."""
    if before is None or drawn.random() < 0.6:
        return
    at = scheduled.at + drawn.uniform(0.1, 0.9) * (before - scheduled.at)
    day = drawn.choice([scheduled.planned_for, _draw_day(drawn, course, at)])
    yield replace(
        scheduled,
        what=f"{scheduled.what}{AGAIN}",
        at=at,
        true_at=at,
        planned_for=day,
        place=drawn.choice([None, scheduled.place]),
    )


def _draw_reports(
    drawn: random.Random, course: ReferralHistory, plan: str, times: PlanTime, ordered: Sequence[KnownEvent]
) -> Iterator[KnownEvent]:
    """Some reports about one plan, most of them before it is carried out."""
    begins = next((each.at for each in ordered if each.what == times.begins), None)
    if begins is None or drawn.random() < 0.4:
        return
    ends = next((each.at for each in ordered if each.what == times.ends), begins + 20 * DAY)
    days: list[date | datetime] = []
    reported = sorted(begins + drawn.uniform(0.01, 1.1) * (ends - begins) for _ in range(drawn.randint(1, 4)))
    for at in reported:
        luck = drawn.random()
        day: date | datetime | None = _draw_day(drawn, course, at)
        if luck < 0.15:
            day = None
        elif luck < 0.35 and days:
            day = days[-1]
        if day:
            days.append(day)
        is_late = drawn.random() < 0.15
        true_at = at - drawn.uniform(0.1, 1) * min(6 * DAY, at - begins) if is_late else at
        report = _plan(plan, at, day, place=drawn.choice(_PLACES) if day else None)
        yield replace(report, true_at=true_at, is_by_practice=plan == "return" and drawn.random() < 0.5)


def _plan(plan: str, at: datetime, day: date | datetime | None, *, place: str | None = None) -> KnownEvent:
    return KnownEvent(what="planned", at=at, true_at=at, plan=plan, planned_for=day, place=place)


def _draw_day(drawn: random.Random, course: ReferralHistory, after: datetime) -> date | datetime:
    """A day at the center in the next weeks, or a time in its working hours."""
    zone = ZoneInfo(course.center.time_zone)
    day = (after + draw_days(drawn, 0.5, 40)).astimezone(zone).date()
    if drawn.random() < 0.5:
        return day
    return datetime.combine(day, time(drawn.randint(8, 16), drawn.choice([0, 30])), zone)


def _find_next(news: Sequence[KnownEvent], event: KnownEvent) -> datetime | None:
    """Return when the next fact becomes known."""
    return min((each.at for each in news if each.at > event.at), default=None)
