"""When a referral's clock has to ring and for whom, said again by hand and independently.

A stage may last so long; then whoever owes the next move is told, later both sides, later those
who lead the side that owes it. Of each stay a level is told once, and none below it any more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from tests.simulation.random_histories import DAY, KnownEvent, ReferralHistory
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
"""Days until a stage is late, and very late: as `domain.clocks` proposes, said a second time."""

_WITHOUT = frozenset({"infused", "follow_up"})
_SINCE_THE_REFERRAL = frozenset({"accepted", "consult_scheduled"})
_OF_THE_PRACTICE = frozenset({"handback_ready", "handed_back"})
_HEARD_APART = frozenset({"monitoring", "window_complete", "handback_ready"})
"""Of their first lateness the schedule tells."""

_RED_AFTER_THE_WINDOW = 7
_LAST_AFTER = 2
"""Business days."""

People = frozenset[tuple[str, bool]]
"""Sides, and whether only those who lead there."""


@dataclass(slots=True)
class ExpectedAlert:
    """One level of a stay.

    Attributes:
        told_at: The runs that may have told it, with the first late day as its words name it.
        must_hear: Who must have heard; who else may have is in `may_hear`.
    """

    rule: str
    told_at: dict[datetime, date] = field(default_factory=dict)
    must_hear: People = frozenset()
    may_hear: People = frozenset()


@dataclass(slots=True)
class StageVisit:
    """Some time in a stage.

    Attributes:
        told: The levels of which any may be the highest that was told.
    """

    stage: str
    since: datetime
    told: set[int] = field(default_factory=lambda: {_NOTHING})
    rings: dict[int, ExpectedAlert] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """The side that owes the next move."""
        return PRACTICE if self.stage in _OF_THE_PRACTICE else CENTER


@dataclass(slots=True)
class AlertOracle:
    """Follows the stays of one referral."""

    course: ReferralHistory
    stays: list[StageVisit] = field(default_factory=list)

    @property
    def list_alerts(self) -> Iterator[ExpectedAlert]:
        """Each that may have rung."""
        for stay in self.stays:
            yield from stay.rings.values()

    def record_event(self, news: KnownEvent) -> None:
        """Something becomes known: perhaps another stay begins."""
        stage = self.stays[-1].stage if news.what == "reopened" else news.what
        if stage in LIMITS or stage in _WITHOUT or stage == "monitoring":
            self.stays.append(StageVisit(stage, news.true_at))

    def record_run(self, at: datetime, *, ends: date | None, is_clean: bool) -> None:
        """The job ran while somebody had to move. `ends` is the day of hand-back."""
        stay = self.stays[-1]
        days = dict(self._days(stay, ends))
        reached = max((level for level, day in days.items() if self._begins(stay, day) <= at), default=_NOTHING)
        if reached == _NOTHING or (reached == _AMBER and stay.stage in _HEARD_APART):
            return
        if min(stay.told) < reached:
            ring = stay.rings.setdefault(reached, ExpectedAlert(RULES[reached]))
            ring.told_at[at] = days[_AMBER]
            heard = [_who(stay.owner, reached, above=level) for level in stay.told]
            ring.may_hear = ring.may_hear.union(*heard)
            if is_clean and max(stay.told) <= reached:
                ring.must_hear |= frozenset.intersection(*heard)
        after = {max(level, reached) for level in stay.told}
        stay.told = after if is_clean else stay.told | after

    def _days(self, stay: StageVisit, ends: date | None) -> Iterator[tuple[int, date]]:
        """The first day of each level, by the calendar of whoever owes the move."""
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
    """Who is told of a level if the highest that was told before is `above`."""
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
