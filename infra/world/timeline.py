"""Turns a story into dated events, counted back from today."""

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

# Days from the previous stage, before a random factor. The values are typical of what is published for
# community referrals, except for the 107 days that those patients waited for leukapheresis, because a
# demonstration in which every referral is overdue is not useful.
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
# Stages whose day follows from the calendar, without the random factor.
_EXACT_DAYS = frozenset({Stage.MONITORING, Stage.WINDOW_COMPLETE})
_SPLIT_DOSE_DAYS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One dated event of a story, and the actor who reports it."""

    stage: Stage
    at: datetime
    reporter: Actor
    part: int = 1
    of: int = 1
    local_date: date | None = None


def build_steps(story: Story, center: DemoCenter, *, now: datetime) -> Sequence[Step]:
    """Build the story's events in order. Each is at least 10 minutes before `now`."""
    stages = [
        stage
        for index, stage in enumerate(story.steps)
        if not (center.sparse and stage in OPTIONAL_STAGES and index < len(story.steps) - 1)
    ]
    times = _compute_times(story, stages, center.time_zone, now=now)
    parts = stages.count(Stage.INFUSED)
    return [
        Step(
            stage=stage,
            at=at,
            reporter=_find_reporter(before, stage),
            part=stages[: index + 1].count(Stage.INFUSED) if stage is Stage.INFUSED else 1,
            of=parts if stage is Stage.INFUSED else 1,
            local_date=to_local_day(at, center.time_zone) if stage is Stage.INFUSED else None,
        )
        for index, (before, stage, at) in enumerate(zip([Stage.DRAFT, *stages][:-1], stages, times, strict=True))
    ]


def compute_draft_time(story: Story, steps: Sequence[Step], *, now: datetime) -> datetime:
    """Return when the practice wrote the draft. If it was submitted, this is the time of the submission."""
    return steps[0].at if steps else (now - story.ago).replace(second=0, microsecond=0)


def _compute_times(story: Story, stages: Sequence[Stage], time_zone: str, *, now: datetime) -> Sequence[datetime]:
    rng = random.Random(f"story {story.number}")  # noqa: S311 fictional data, not a secret
    ages = list(_list_ages(story, stages, rng))
    proposed = [(stage, _choose_time(stage, age, time_zone, rng, now=now)) for stage, age in ages[::-1]]
    return list(_space_out(proposed, now=now))


def _list_ages(story: Story, stages: Sequence[Stage], rng: random.Random) -> Iterator[tuple[Stage, timedelta]]:
    """List how long ago the referral reached each stage, latest stage first."""
    age = story.ago
    for before, stage in reversed(list(pairwise([Stage.DRAFT, *stages]))):
        yield stage, age
        age += _get_usual_duration(before, stage) * (1 if stage in _EXACT_DAYS else rng.uniform(0.8, 1.2))


def _get_usual_duration(before: Stage, stage: Stage) -> timedelta:
    if before is stage is Stage.INFUSED:
        return _SPLIT_DOSE_DAYS * _DAY
    return _USUAL_DAYS[stage] * _DAY


def _choose_time(stage: Stage, age: timedelta, time_zone: str, rng: random.Random, *, now: datetime) -> datetime:
    """Choose a time within working hours at the center. Keep the exact time if it is less than a day ago."""
    working_time = time(rng.randint(8, 16), rng.randint(0, 59), tzinfo=ZoneInfo(time_zone))
    if age >= _DAY:
        return datetime.combine(to_local_day(now - age, time_zone), working_time)
    # Shortly after midnight, an infusion of today must not move to yesterday.
    midnight = get_start_of_day(to_local_day(now, time_zone), time_zone)
    return max(now - age, midnight) if stage is Stage.INFUSED else now - age


def _space_out(proposed: Sequence[tuple[Stage, datetime]], *, now: datetime) -> Iterator[datetime]:
    """Adjust the times so that each is later than the previous one and none is in the future."""
    previous = None
    for index, (stage, proposed_at) in enumerate(proposed):
        latest = now - timedelta(minutes=10 * (len(proposed) - index))
        at = proposed_at if previous is None else max(proposed_at, previous + timedelta(minutes=30))
        at = min(at, latest).replace(second=0, microsecond=0)
        if previous is not None and stage is Stage.MONITORING:
            # The product starts monitoring by itself, one second after the infusion.
            at = previous + timedelta(seconds=1)
        previous = at
        yield at


def _find_reporter(before: Stage, stage: Stage) -> Actor:
    actors = list_transitions_from(before)[stage]
    if Actor.SYSTEM in actors:
        return Actor.SYSTEM
    # The practice or the center may record a death. In these stories, the center learns of it first.
    practice_reports = Actor.PRACTICE in actors and stage is not Stage.DECEASED
    return Actor.PRACTICE if practice_reports else Actor.CENTER
