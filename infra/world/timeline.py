"""From a story to dated events, counted back from today."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from chalicelib.domain.referrals.monitoring_window import get_start_of_day, to_local_day
from chalicelib.domain.referrals.stages import OPTIONAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import list_transitions_from
from infra.world.places import DemoCenter
from infra.world.stories import Story

_DAY = timedelta(days=1)

# Days from the stage before, before some luck. Typical of what is published for community
# referrals, but for the 107 days that their patients waited for collection: nobody wants to
# look at a demonstration that is all red.
_USUAL_DAYS: Mapping[Stage, float] = {
    Stage.RECEIVED: 0.3,
    Stage.INFO_REQUESTED: 1,
    Stage.SUBMITTED: 1,
    Stage.ACCEPTED: 2,
    Stage.DECLINED: 2,
    Stage.REDIRECTED: 1,
    Stage.WITHDRAWN: 4,
    Stage.CONSULT_SCHEDULED: 2,
    Stage.CONSULT_COMPLETED: 10,
    Stage.ELIGIBILITY_PENDING: 2,
    Stage.CENTER_PROCEED: 6,
    Stage.DEFERRED: 3,
    Stage.NOT_PROCEEDING: 3,
    Stage.APHERESIS_SCHEDULED: 3,
    Stage.APHERESIS_COMPLETED: 14,
    Stage.MANUFACTURING_STARTED: 1,
    Stage.QC_TESTING: 14,
    Stage.RELEASED: 5,
    Stage.OUT_OF_SPECIFICATION: 2,
    Stage.MANUFACTURING_FAILED: 9,
    Stage.PRODUCT_SHIPPED: 1,
    Stage.PRODUCT_RECEIVED: 2,
    Stage.LYMPHODEPLETION_STARTED: 4,
    Stage.INFUSED: 5,
    Stage.MONITORING: 0,
    Stage.WINDOW_COMPLETE: 28,
    Stage.HANDBACK_READY: 1,
    Stage.HANDED_BACK: 2,
    Stage.FOLLOW_UP: 5,
    Stage.LONG_TERM_FOLLOW_UP: 340,
    Stage.CLOSED_COMPLETE: 330,
    Stage.DECEASED: 6,
    Stage.LOST_TO_FOLLOW_UP: 60,
    Stage.TRANSFERRED_CARE: 20,
}
# By the calendar, not by luck.
_EXACT_DAYS = frozenset({Stage.MONITORING, Stage.WINDOW_COMPLETE})
_SPLIT_DOSE_DAYS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One dated event of a story, and who reports it."""

    stage: Stage
    at: datetime
    reporter: Actor
    part: int = 1
    of: int = 1
    local_date: date | None = None


def build_steps(story: Story, center: DemoCenter, *, now: datetime) -> Sequence[Step]:
    """The story's events in order, all of them at least ten minutes before `now`."""
    stages = [
        stage
        for place, stage in enumerate(story.steps)
        if not (center.sparse and stage in OPTIONAL_STAGES and place < len(story.steps) - 1)
    ]
    times = _compute_times(story, stages, center.time_zone, now=now)
    parts = stages.count(Stage.INFUSED)
    return [
        Step(
            stage=stage,
            at=at,
            reporter=_find_reporter(before, stage),
            part=stages[: place + 1].count(Stage.INFUSED) if stage is Stage.INFUSED else 1,
            of=parts if stage is Stage.INFUSED else 1,
            local_date=to_local_day(at, center.time_zone) if stage is Stage.INFUSED else None,
        )
        for place, (before, stage, at) in enumerate(zip([Stage.DRAFT, *stages][:-1], stages, times, strict=True))
    ]


def compute_draft_time(story: Story, steps: Sequence[Step], *, now: datetime) -> datetime:
    """When the practice wrote it: with its submission, where it got so far."""
    return steps[0].at if steps else (now - story.ago).replace(second=0, microsecond=0)


def _compute_times(story: Story, stages: Sequence[Stage], time_zone: str, *, now: datetime) -> Sequence[datetime]:
    draw = random.Random(f"story {story.number}")  # noqa: S311 a fictional life, not a secret
    backwards = list(_list_ages(story, stages, draw))
    proposed = [(stage, _choose_time(stage, age, time_zone, draw, now=now)) for stage, age in backwards[::-1]]
    return list(_space_out(proposed, now=now))


def _list_ages(story: Story, stages: Sequence[Stage], draw: random.Random) -> Iterator[tuple[Stage, timedelta]]:
    """How long ago each stage was reached, the last one first."""
    age = story.ago
    for before, stage in reversed(list(pairwise([Stage.DRAFT, *stages]))):
        yield stage, age
        age += _get_usual_duration(before, stage) * (1 if stage in _EXACT_DAYS else draw.uniform(0.8, 1.2))


def _get_usual_duration(before: Stage, stage: Stage) -> timedelta:
    if before is stage is Stage.INFUSED:
        return _SPLIT_DOSE_DAYS * _DAY
    return _USUAL_DAYS[stage] * _DAY


def _choose_time(stage: Stage, age: timedelta, time_zone: str, draw: random.Random, *, now: datetime) -> datetime:
    """Within working hours at the center; what happened just now, just then."""
    at_work = time(draw.randint(8, 16), draw.randint(0, 59), tzinfo=ZoneInfo(time_zone))
    if age >= _DAY:
        return datetime.combine(to_local_day(now - age, time_zone), at_work)
    # An infusion of today must not turn into one of yesterday where it is just after midnight.
    midnight = get_start_of_day(to_local_day(now, time_zone), time_zone)
    return max(now - age, midnight) if stage is Stage.INFUSED else now - age


def _space_out(proposed: Sequence[tuple[Stage, datetime]], *, now: datetime) -> Iterator[datetime]:
    """Nudge the times so that each is later than the one before, and none is to come."""
    before = None
    for place, (stage, wish) in enumerate(proposed):
        latest = now - timedelta(minutes=10 * (len(proposed) - place))
        at = wish if before is None else max(wish, before + timedelta(minutes=30))
        at = min(at, latest).replace(second=0, microsecond=0)
        if before is not None and stage is Stage.MONITORING:
            # The product itself opens monitoring, dated a second after the infusion.
            at = before + timedelta(seconds=1)
        before = at
        yield at


def _find_reporter(before: Stage, stage: Stage) -> Actor:
    movers = list_transitions_from(before)[stage]
    if Actor.SYSTEM in movers:
        return Actor.SYSTEM
    # Either side may record a death; in these stories the center is where it is known first.
    practice_reports = Actor.PRACTICE in movers and stage is not Stage.DECEASED
    return Actor.PRACTICE if practice_reports else Actor.CENTER
