"""What must be sent on which day to which side, written a second time and independently.

The product plans rows and checks them on their day. Here each notice is a key with the set of
states that it may be in: a run under faults may have sent it or not, a run without faults leaves
no doubt.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.simulation.alert_oracle import BOTH, CENTER, PRACTICE, AlertOracle
from tests.simulation.random_histories import KnownEvent, ReferralHistory


class OracleRule(NamedTuple):
    """One notice of the schedule."""

    line: str
    category: str
    sides: tuple[str, ...]


_WATCH, _OVERDUE = OracleRule("watch", "window", BOTH), OracleRule("overdue", "overdue", BOTH)
_VISIT = OracleRule("visits", "follow_up", (PRACTICE,))
_REPORTED = OracleRule("visits", "follow_up", BOTH)

SCHEDULE: Mapping[str, OracleRule] = {
    "window_opened": OracleRule("watch", "window", (CENTER,)),
    "first_day": OracleRule("check_in", "check_in", (PRACTICE,)),
    "daily_monitoring_ends": _WATCH,
    "label_minimum_ends": _WATCH,
    "second_part_due": OracleRule("dose", "window", BOTH),
    "driving_minimum_ends": OracleRule("driving", "window", BOTH),
    "handback_near": OracleRule("handback", "window", BOTH),
    "handback_target": OracleRule("handback", "window", BOTH),
    "handback_overdue_1": _OVERDUE,
    "handback_overdue_2": _OVERDUE,
    "handback_overdue_3": _OVERDUE,
    "handback_unacknowledged": OracleRule("acknowledgement", "overdue", BOTH),
    "visit_day_30": _VISIT,
    "visit_day_90": _VISIT,
    "visit_day_100": _REPORTED,
    "visit_day_180": _REPORTED,
    "visit_day_365": _REPORTED,
}

_FROM_DAY_0 = {
    "window_opened": 0,
    "first_day": 1,
    "visit_day_30": 30,
    "visit_day_90": 90,
    "visit_day_100": 100,
    "visit_day_180": 180,
    "visit_day_365": 365,
}
_OF_ONE_DOSE = {"daily_monitoring_ends": 7, "label_minimum_ends": 14}
_OF_A_SPLIT_DOSE = {
    "second_part_due": 9,
    "daily_monitoring_ends": 14,
    "label_minimum_ends": 28,
    "driving_minimum_ends": 56,
}
"""Days after the infusion by the labels of Breyanzi (FDA's notice of 2025-06-26) and Aucatzyl
(2024-11), as the catalog has them."""

_FROM_THE_END = {
    "handback_near": -7,
    "handback_target": 0,
    "handback_overdue_1": 1,
    "handback_overdue_2": 2,
    "handback_overdue_3": 3,
}
_WINDOW = 28

_J, _C = "journey", "critical"
EVENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(("submitted", "handed_back"), (_J, (CENTER,))),
    **dict.fromkeys(
        (
            *("accepted", "consult_scheduled", "center_proceed"),
            *("apheresis_completed", "infused", "handback_ready", "extended"),
        ),
        (_J, (PRACTICE,)),
    ),
    **dict.fromkeys(("out_of_specification", "toxicity"), (_C, (PRACTICE,))),
    **dict.fromkeys(("hold_started", "hold_ended", "reopened", "corrected"), (_J, BOTH)),
    **dict.fromkeys(("withdrawn", "declined", "not_proceeding", "transferred_care", "lost_to_follow_up"), (_J, BOTH)),
    "deceased": (_C, BOTH),
}
"""Notices that are sent at once, with their category and side. An ending is for both sides."""

_ENDS = frozenset({"withdrawn", "declined", "not_proceeding", "deceased", "transferred_care", "lost_to_follow_up"})

_PLANNED = frozenset({"window", "overdue", "follow_up", "check_in"})
"""The categories of what was planned for a patient: not emailed after any ending."""

_WAITING, _TOLD, _DROPPED = "waiting", "told", "dropped"


@dataclass(frozen=True, slots=True)
class NoticeKey:
    """A notice: a rule and its day, or an event and when it became known."""

    rule: str
    day: date | datetime


@dataclass(slots=True)
class NoticeFate:
    """The possible states of a notice, and the runs that may have sent it."""

    due: datetime
    category: str
    sides: tuple[str, ...]
    may_be: set[str] = field(default_factory=set)
    sent_at: set[datetime] = field(default_factory=set)

    @property
    def must_be_sent(self) -> bool:
        """Whether it must have been sent."""
        return self.may_be == {_TOLD}


@dataclass(slots=True)
class NoticeOracle:
    """Follows what is known about one referral, and what must be sent about it."""

    course: ReferralHistory
    rings: AlertOracle = field(init=False)
    infused_on: date | None = None
    extended_to: date | None = None
    handed_over: date | None = None
    is_ready: bool = False
    is_back: bool = False
    is_held: bool = False
    is_ended: bool = False
    parts: int = 0
    fates: dict[NoticeKey, NoticeFate] = field(default_factory=dict)
    endings: list[tuple[datetime, str]] = field(default_factory=list)
    """When each ending or reopening became known."""

    def __post_init__(self) -> None:
        """Nothing is known yet, so no time runs."""
        self.rings = AlertOracle(self.course)

    def record_event(self, news: KnownEvent) -> None:
        """Learn a fact: it is sent itself, and the plan may change."""
        if news.what in EVENTS:
            category, sides = EVENTS[news.what]
            self.fates[NoticeKey(news.what, news.at)] = NoticeFate(news.at, category, sides, {_WAITING})
        silent = {key for key in self._plan() if self._is_silent(key)}
        before = set(self._plan())
        self._learn(news)
        self.rings.record_event(news)
        self._replan(before, silent, today=self._day(news.at))

    def record_run(self, lane: str, at: datetime, *, is_clean: bool) -> None:
        """Note that a job ran: what is due is sent, or skipped if no one wants it any more."""
        if lane == "clock":
            if self.rings.stays and not (self.is_ended or self.is_held):
                self.rings.record_run(at, ends=self._ends, is_clean=is_clean)
            return
        plan = set(self._plan())
        for key, fate in self.fates.items():
            is_event = isinstance(key.day, datetime)
            is_of_job = lane == ("event" if is_event else "plan")
            if not is_of_job or _WAITING not in fate.may_be or fate.due > at:
                continue
            is_wanted = is_event or (key in plan and not self._is_silent(key))
            if is_wanted:
                fate.sent_at.add(at)
            fate.may_be.add(_TOLD if is_wanted else _DROPPED)
            if is_clean:
                fate.may_be.discard(_WAITING)

    def find_death_before(self, at: datetime) -> datetime | None:
        """Return when the death became known that counts at a time."""
        known, what = max((each for each in self.endings if each[0] <= at), default=(at, ""))
        return known if what == "deceased" else None

    def is_overtaken(self, category: str, became_known: datetime, *, at: datetime) -> bool:
        """Whether an email must no longer say something, because the referral has ended or the patient has died."""
        what = max((each for each in self.endings if each[0] <= at), default=(at, "reopened"))[1]
        if what == "reopened" or category == _C:
            return False
        died = self.find_death_before(at)
        return category in _PLANNED or (died is not None and became_known <= died)

    @property
    def _ends(self) -> date | None:
        """Return the day of the return to the practice, once the patient was infused."""
        own = self.infused_on + timedelta(days=_WINDOW) if self.infused_on else None
        return self.extended_to or own

    def _learn(self, news: KnownEvent) -> None:
        if news.what in _ENDS or news.what == "reopened":
            self.endings.append((news.at, news.what))
        match news.what:
            case "infused":
                self.infused_on = self.infused_on or self._day(news.true_at)
                self.parts = news.part
            case "corrected":
                self.infused_on = self._day(news.true_at)
            case "extended":
                self.extended_to = news.ends_on
            case "handback_ready":
                self.handed_over, self.is_ready = self._day(news.true_at), True
            case "handed_back":
                self.is_ready, self.is_back = False, True
            case "hold_started" | "hold_ended":
                self.is_held = news.what == "hold_started"
            case "reopened":
                self.is_ended = False
            case end if end in _ENDS:
                self.is_ended, self.is_held = True, False

    def _replan(self, before: set[NoticeKey], silent: set[NoticeKey], *, today: date) -> None:
        """Add what is new in the plan, or counts again. Of what is past, the last of each series."""
        past: dict[str, NoticeKey] = {}
        for key in self._plan():
            assert not isinstance(key.day, datetime)
            speaks_again = key in silent and key.day <= today and not self._is_silent(key)
            if key in before and not speaks_again:
                continue
            if key.day >= today:
                self._wait(key)
            else:
                line = SCHEDULE[key.rule].line
                past[line] = max(past.get(line, key), key, key=lambda each: each.day)
        for key in past.values():
            self._wait(key)

    def _wait(self, key: NoticeKey) -> None:
        row = SCHEDULE[key.rule]
        begins = datetime.combine(key.day, time(), ZoneInfo(self.course.center.time_zone))
        fate = self.fates.setdefault(key, NoticeFate(begins.astimezone(UTC), row.category, row.sides))
        fate.may_be = {_TOLD if each == _TOLD else _WAITING for each in fate.may_be or {_WAITING}}

    def _plan(self) -> Iterator[NoticeKey]:
        ends = self._ends
        if self.infused_on is None or ends is None:
            return
        own = _OF_A_SPLIT_DOSE if self.course.is_split else _OF_ONE_DOSE
        for rule, days in (_FROM_DAY_0 | own).items():
            yield NoticeKey(rule, self.infused_on + timedelta(days=days))
        for rule, days in _FROM_THE_END.items():
            on = ends + timedelta(days=days)
            if on > self.infused_on:
                yield NoticeKey(rule, on)
        if self.handed_over:
            yield NoticeKey("handback_unacknowledged", self.handed_over + timedelta(days=3))

    def _is_silent(self, key: NoticeKey) -> bool:
        """Whether later facts make a planned notice pointless."""
        if self.is_ended or self.is_held:
            return True
        match SCHEDULE[key.rule].line:
            case "watch" | "check_in" | "handback":
                return self.is_back
            case "overdue":
                return self.is_back or self.is_ready
            case "acknowledgement":
                return not self.is_ready
            case "dose":
                return self.parts != 1
        return False

    def _day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.course.center.time_zone)).date()
