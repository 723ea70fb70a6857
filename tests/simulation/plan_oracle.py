"""Which dates are planned for a patient and which product counts, written a second time and independently.

Of each plan, the report counts that was true last, whenever it became known. A date has moved if
another one was reported before it and was not canceled in between. The product is the one that was
given, else the one that the center planned, else the one that the practice requested.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from tests.simulation.known_events import KnownEvent, ReferralHistory

PLAN_NAMES: Mapping[str, str] = {
    "consultation": "Consultation",
    "leukapheresis": "Leukapheresis",
    "delivery": "Product delivery",
    "lymphodepletion": "Lymphodepletion",
    "infusion": "CAR T infusion",
    "return": "Return to the referring practice",
}
"""What is planned, as a notice calls it."""

MODE_NAMES: Mapping[str, str] = {"in_person": "In person", "telehealth": "Telehealth"}

Day = date | datetime


@dataclass(frozen=True, slots=True)
class ExpectedPlan:
    """What both sides must see of a plan: a day at the center or a time, and the date before it."""

    day: Day
    place: str | None
    moved_from: Day | None
    is_canceled: bool
    mode: str | None
    reported_at: datetime

    @property
    def seen(self) -> tuple[Day, str | None, str | None, bool]:
        """What is news if it changes."""
        return self.day, self.place, self.mode, self.is_canceled


@dataclass(slots=True)
class PlanOracle:
    """Follows what was reported about the planned dates of one referral."""

    course: ReferralHistory
    reports: list[KnownEvent] = field(default_factory=list)

    def record_event(self, news: KnownEvent) -> bool:
        """Learn a report. Return whether it is news to a reader, and not a repeat or an older report."""
        before = self.find(news.plan)
        self.reports.append(news)
        after = self.find(news.plan)
        return after is not None and (before is None or before.seen != after.seen)

    def find(self, plan: str, *, before: datetime | None = None) -> ExpectedPlan | None:
        """Find what is known about a plan, or what was true about it before a time."""
        known = (each for each in self.reports if each.plan == plan and (before is None or each.true_at < before))
        return _summarize(sorted(known, key=_get_true_time))

    def describe(self, news: KnownEvent, *, at: datetime) -> str:
        """Write what the notice of a report must say, from what is known when the notice is written."""
        known = [e for e in self.reports if e.plan == news.plan and e.at <= at and e.true_at <= news.true_at]
        plan = _summarize(sorted(known, key=_get_true_time))
        if plan is None:
            return f"Canceled: {PLAN_NAMES[news.plan]}."
        text = f"{PLAN_NAMES[news.plan]} on {self._write_day(plan.day)}"
        if plan.is_canceled:
            return f"Canceled: {text}."
        if plan.mode:
            text += f"; {MODE_NAMES[plan.mode]}"
        if plan.place:
            text += f"; {plan.place}"
        if plan.moved_from:
            return f"New date: {text}. It was planned for {self._write_day(plan.moved_from)}."
        return f"Date set: {text}."

    def _write_day(self, day: Day) -> str:
        zone = self.course.center.time_zone
        if not isinstance(day, datetime):
            return f"{day:%B} {day.day}, {day.year}"
        local = day.astimezone(ZoneInfo(zone))
        clock = f"{local:%I:%M %p}".removeprefix("0")
        return f"{local:%B} {local.day}, {local.year}, {clock} {local:%Z} ({zone})"


def _summarize(reports: Sequence[KnownEvent]) -> ExpectedPlan | None:
    """Return what the reports of one plan say together; the last one is the one that counts."""
    dated = [n for n, each in enumerate(reports) if each.planned_for]
    if not dated:
        return None
    canceled = [n for n, each in enumerate(reports[: dated[-1]]) if not each.planned_for]
    since = [each for each in reports[max(canceled, default=-1) + 1 :] if each.planned_for]
    last = since[-1].planned_for
    others = [n for n, each in enumerate(since) if each.planned_for != last]
    same = since[max(others, default=-1) + 1 :]
    return ExpectedPlan(
        day=_require(last),
        place=next((each.place for each in reversed(same) if each.place), None),
        mode=next((each.mode for each in reversed(same) if each.mode), None),
        reported_at=reports[-1].true_at,
        moved_from=since[others[-1]].planned_for if others else None,
        is_canceled=reports[-1].planned_for is None,
    )


def _require(day: Day | None) -> Day:
    assert day is not None
    return day


@dataclass(slots=True)
class ProductOracle:
    """Follows which product was requested, planned and given, by the reports that still count."""

    requested: str | None
    _decisions: list[KnownEvent] = field(default_factory=list)
    _infusions: list[KnownEvent] = field(default_factory=list)

    @property
    def planned(self) -> str | None:
        """The product that the center planned last."""
        return _find_last_named(self._decisions)

    @property
    def given(self) -> str | None:
        """The product that was given."""
        return _find_last_named(self._infusions)

    @property
    def current(self) -> str | None:
        """The product that counts; None if no one named one."""
        return self.given or self.planned or self.requested

    def record_event(self, news: KnownEvent) -> bool:
        """Learn a report. Return whether another product counts now."""
        before = self.current
        reports = self._infusions if "infused" in {news.stage, news.corrects} else self._decisions
        if news.corrects:
            # The whole report is replaced, also the product that it named.
            reports[0] = news
        elif news.stage in {"center_proceed", "infused"} and not _repeats_product(news, reports):
            reports.append(news)
        return self.current != before


def _repeats_product(news: KnownEvent, reports: Sequence[KnownEvent]) -> bool:
    """Whether a system only sends what it sent last, which counts no more than the first time."""
    return bool(reports) and news.product_id == reports[-1].product_id


def _find_last_named(reports: Sequence[KnownEvent]) -> str | None:
    named = [each for each in reports if each.product_id]
    return max(named, key=_get_true_time).product_id if named else None


def _get_true_time(news: KnownEvent) -> datetime:
    return news.true_at
