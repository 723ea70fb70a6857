"""When a referral's overdue alerts are due and for whom, written a second time and independently.

After a stage has lasted too long, the side that acts next is notified, later both sides, later the
leads of the side that acts next. For each visit of a stage a level is sent once, and no lower level
after it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from tests.simulation.known_events import DAY, KnownEvent, ReferralHistory
from tests.support.holidays import HOLIDAYS

PRACTICE, CENTER = "practice", "center"
BOTH = (PRACTICE, CENTER)

RULES = ("clock_amber", "clock_red", "clock_escalated")
_AMBER, _RED, _LAST = range(3)
_NOTHING = -1

LIMITS: Mapping[str, tuple[int, int]] = {
    "submitted": (1, 3),
    "accepted": (14, 21),
    "consult_scheduled": (14, 21),
    "consult_completed": (7, 14),
    "center_proceed": (28, 45),
    "apheresis_scheduled": (28, 45),
    "apheresis_completed": (3, 7),
    "manufacturing_started": (35, 49),
    "out_of_specification": (3, 7),
    "lymphodepletion_started": (8, 10),
    "window_complete": (1, 3),
    "handback_ready": (3, 7),
    "handed_back": (14, 30),
}
"""Days until a stage is overdue, and long overdue: the product's proposal, written a second time."""

_WITHOUT = frozenset({"infused", "follow_up"})
_SINCE_THE_REFERRAL = frozenset({"accepted", "consult_scheduled"})
_OF_THE_PRACTICE = frozenset({"handback_ready", "handed_back"})
_HEARD_APART = frozenset({"monitoring", "window_complete", "handback_ready"})
"""Stages whose first lateness the notice schedule covers."""

_RED_AFTER_THE_WINDOW = 7
_LAST_AFTER = 2
"""Business days."""

People = frozenset[tuple[str, bool]]
"""Sides, and whether only their leads are notified."""


@dataclass(slots=True)
class ExpectedAlert:
    """One level of a visit of a stage.

    Attributes:
        sent_at: The runs that may have sent it, with the first late day in its text.
        must_hear: The members who must have been notified; others who may are in `may_hear`.
    """

    rule: str
    sent_at: dict[datetime, date] = field(default_factory=dict)
    must_hear: People = frozenset()
    may_hear: People = frozenset()


@dataclass(slots=True)
class StageVisit:
    """A visit of a stage.

    Attributes:
        sent: The levels that can be the highest one that was sent.
    """

    stage: str
    since: datetime
    sent: set[int] = field(default_factory=lambda: {_NOTHING})
    rings: dict[int, ExpectedAlert] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """Return the side that acts next."""
        return PRACTICE if self.stage in _OF_THE_PRACTICE else CENTER


@dataclass(slots=True)
class AlertOracle:
    """Follows the stage visits of one referral."""

    course: ReferralHistory
    stays: list[StageVisit] = field(default_factory=list)

    @property
    def list_alerts(self) -> Iterator[ExpectedAlert]:
        """Return each alert that may have been sent."""
        for stay in self.stays:
            yield from stay.rings.values()

    def record_event(self, news: KnownEvent) -> None:
        """Learn a fact, which may begin another visit."""
        stage = self.stays[-1].stage if news.what == "reopened" else news.what
        if stage in LIMITS or stage in _WITHOUT or stage == "monitoring":
            self.stays.append(StageVisit(stage, news.true_at))

    def record_run(self, at: datetime, *, ends: date | None, is_clean: bool) -> None:
        """Note that the job ran while a side had to act. `ends` is the day of the return."""
        stay = self.stays[-1]
        days = dict(self._days(stay, ends))
        reached = max((level for level, day in days.items() if self._begins(stay, day) <= at), default=_NOTHING)
        if reached == _NOTHING or (reached == _AMBER and stay.stage in _HEARD_APART):
            return
        if min(stay.sent) < reached:
            ring = stay.rings.setdefault(reached, ExpectedAlert(RULES[reached]))
            ring.sent_at[at] = days[_AMBER]
            heard = [_who(stay.owner, reached, above=level) for level in stay.sent]
            ring.may_hear = ring.may_hear.union(*heard)
            if is_clean and max(stay.sent) <= reached:
                ring.must_hear |= frozenset.intersection(*heard)
        after = {max(level, reached) for level in stay.sent}
        stay.sent = after if is_clean else stay.sent | after

    def _days(self, stay: StageVisit, ends: date | None) -> Iterator[tuple[int, date]]:
        """Return the first day of each level, by the calendar of the side that acts next."""
        if stay.stage == "monitoring" and ends:
            late, very_late = ends, ends + _RED_AFTER_THE_WINDOW * DAY
        elif stay.stage in LIMITS:
            begun = self.stays[0].since if stay.stage in _SINCE_THE_REFERRAL else stay.since
            first = begun.astimezone(self._zone(stay)).date()
            unit = _business if stay.stage == "submitted" else _calendar
            late, very_late = (unit(first, days) for days in LIMITS[stay.stage])
        else:
            return
        yield _AMBER, late + DAY
        yield _RED, very_late + DAY
        yield _LAST, _business(very_late, _LAST_AFTER) + DAY

    def _begins(self, stay: StageVisit, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone(stay)).astimezone(UTC)

    def _zone(self, stay: StageVisit) -> ZoneInfo:
        owner = self.course.practice if stay.owner == PRACTICE else self.course.center
        return ZoneInfo(owner.time_zone)


def _who(owner: str, level: int, *, above: int) -> People:
    """Return who is notified of a level if the highest level sent before is `above`."""
    both = frozenset((side, False) for side in BOTH)
    if level == _AMBER:
        return frozenset({(owner, False)})
    if level == _RED:
        return both
    return frozenset({(owner, True)}) | (both if above < _RED else frozenset())


def _calendar(day: date, days: int) -> date:
    return day + days * DAY


def _business(day: date, days: int) -> date:
    while days:
        day += DAY
        days -= day.weekday() < 5 and day not in HOLIDAYS
    return day
