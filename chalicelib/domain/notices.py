"""Which notice is due when, to which side. Data, so that a notice is added by adding a row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.alarms import AlarmLevel
from chalicelib.domain.events import Event, EventType, StageChange, derived_id
from chalicelib.domain.members import Member, TenantKind
from chalicelib.domain.referral import Referral
from chalicelib.domain.stages import FACTS, TERMINAL, Phase, Stage
from chalicelib.domain.window import MilestoneKind, Window, local_day, start_of_day


class Lane(StrEnum):
    """Queues of work: what follows from a committed event, what was planned for a day, clocks."""

    EVENT = "event"
    PLAN = "plan"
    CLOCK = "clock"
    """The next alarm of each referral. See `domain.alarms`."""


_BOTH = (TenantKind.PRACTICE, TenantKind.CENTER)
_PRACTICE = (TenantKind.PRACTICE,)
_CENTER = (TenantKind.CENTER,)


class Category(StrEnum):
    """What a notice is about, as its reader chooses whether and when to be mailed of it."""

    CRITICAL = "critical"
    """Somebody may be harmed if it is read late: mailed at once, and nobody can turn it off."""
    JOURNEY = "journey"
    WINDOW = "window"
    OVERDUE = "overdue"


class Rule(NamedTuple):
    """One kind of notice: who gets it and how the dashboard words it.

    Attributes:
        sides: Who gets it; of none, it is the side that the task names.
        leads: Whether it is for those who lead there.
    """

    sides: tuple[TenantKind, ...]
    title: str
    category: Category = Category.JOURNEY
    leads: bool = False

    def readers(self, people: Sequence[Member]) -> Sequence[Member]:
        """Who of the people of a side that may see the referral gets it.

        Where nobody who sees patients is an administrator, everybody: else nobody would hear.
        """
        return [member for member in people if member.manages] or people if self.leads else people


WINDOW_RULES: Mapping[MilestoneKind, Rule] = {
    MilestoneKind.DAILY_MONITORING_ENDS: Rule(
        _BOTH, "The label's minimum of daily monitoring ends today", Category.WINDOW
    ),
    MilestoneKind.LABEL_MINIMUM_ENDS: Rule(
        _BOTH,
        "The label's minimum of monitoring near the center ends today; the center may extend",
        Category.WINDOW,
    ),
    MilestoneKind.HANDBACK_NEAR: Rule(
        _BOTH, "Hand-back in 7 days: book the visit and the labs", Category.WINDOW
    ),
    MilestoneKind.HANDBACK_TARGET: Rule(
        _BOTH, "The hand-back target is reached today", Category.WINDOW
    ),
}

STAGE_RULES: Mapping[Stage, Rule] = {
    Stage.SUBMITTED: Rule(_CENTER, "A referral was submitted to your center"),
    Stage.WITHDRAWN: Rule(_CENTER, "A referral was withdrawn"),
    Stage.HANDED_BACK: Rule(_CENTER, "The hand-back was acknowledged"),
    Stage.INFO_REQUESTED: Rule(_PRACTICE, "The center asks for information"),
    Stage.ACCEPTED: Rule(_PRACTICE, "The center accepted the referral for evaluation"),
    Stage.DECLINED: Rule(_PRACTICE, "The center declined the referral"),
    Stage.REDIRECTED: Rule(_PRACTICE, "The center suggests another center"),
    Stage.CONSULT_SCHEDULED: Rule(_PRACTICE, "The consultation was scheduled"),
    Stage.CENTER_PROCEED: Rule(_PRACTICE, "The center decided to proceed"),
    Stage.DEFERRED: Rule(_PRACTICE, "The center deferred"),
    Stage.NOT_PROCEEDING: Rule(_PRACTICE, "Treatment does not proceed"),
    Stage.APHERESIS_COMPLETED: Rule(_PRACTICE, "Leukapheresis was completed"),
    Stage.OUT_OF_SPECIFICATION: Rule(
        _PRACTICE, "The product is out of specification", Category.CRITICAL
    ),
    Stage.MANUFACTURING_FAILED: Rule(_PRACTICE, "Manufacturing failed", Category.CRITICAL),
    Stage.INFUSED: Rule(_PRACTICE, "The patient was infused; the monitoring window is open"),
    Stage.HANDBACK_READY: Rule(_PRACTICE, "The hand-back package is ready"),
    Stage.DECEASED: Rule(_BOTH, "A death was recorded", Category.CRITICAL),
}
"""The moves that the other side is told of at once. Source: the needs named in the HemeTalks
episode "Bridging the Gap" (18 September 2025) and the journey's notification schedule."""

EVENT_RULES: Mapping[str, Rule] = {
    EventType.HOLD_STARTED: Rule(_BOTH, "The referral is on hold"),
    EventType.HOLD_ENDED: Rule(_BOTH, "The hold is over"),
    EventType.TOXICITY_NOTICED: Rule(_PRACTICE, "The center noticed a toxicity", Category.CRITICAL),
    EventType.WINDOW_EXTENDED: Rule(_PRACTICE, "The center extended the monitoring window"),
    EventType.WITHDRAWAL_REQUESTED: Rule(_CENTER, "The practice asks to withdraw the referral"),
    EventType.REOPENED: Rule(_BOTH, "The referral was opened again"),
    EventType.CORRECTED: Rule(_BOTH, "An earlier report was corrected"),
}
"""What the other side is told of at once beside the moves."""

CLOCK_RULES: Mapping[AlarmLevel, Rule] = {
    AlarmLevel.AMBER: Rule((), "Overdue since {since}: {stage}", Category.OVERDUE),
    AlarmLevel.RED: Rule(_BOTH, "Long overdue, since {since}: {stage}", Category.OVERDUE),
    AlarmLevel.ESCALATED: Rule(
        (), "Nobody has moved it; overdue since {since}: {stage}", Category.OVERDUE, leads=True
    ),
}
"""Who is told that a stage lasts too long: who owes the next move, then both sides, then those
who lead the side that owes it. Where it comes to the last without the one before, as after an
outage, both sides hear of it as well. This product's proposal."""

OPEN_MONITORING = "open_monitoring"
GIVE_UP = "give_up"
STAGE_CHANGED = "stage_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do because of an event, durable in the outbox until it is done.

    Attributes:
        outbox_id: Made from what it is about, so that planning twice makes one row.
        rule: A key of `WINDOW_RULES`, `EVENT_RULES` or `CLOCK_RULES`, `STAGE_CHANGED` or
            `OPEN_MONITORING`.
        due_on: The local day of a planned task; of a clock, the first day on which it was late.
        unheard: Whether a clock passed the level below its own and nobody was told of that.
    """

    outbox_id: str
    referral_id: str
    rule: str
    lane: Lane
    due_at: datetime
    due_on: date | None = None
    side: TenantKind | None = None
    stage: Stage | None = None
    event_id: str | None = None
    unheard: bool = False


def told_by(task: Task) -> Iterator[tuple[TenantKind, Rule]]:
    """Which sides a task tells, and what."""
    if task.lane is Lane.CLOCK:
        yield from _told_by_clock(task)
        return
    rule = STAGE_RULES.get(task.stage) if task.stage else EVENT_RULES.get(task.rule)
    if rule:
        yield from ((side, rule) for side in rule.sides)
    elif task.side:
        yield task.side, WINDOW_RULES[MilestoneKind(task.rule)]


def _told_by_clock(task: Task) -> Iterator[tuple[TenantKind, Rule]]:
    if not (task.side and task.stage and task.due_on):
        raise ValueError("a clock is told of with its stage, its side and its day")
    level = AlarmLevel(task.rule)
    is_last = level is AlarmLevel.ESCALATED
    levels = (level, AlarmLevel.RED) if is_last and task.unheard else (level,)
    since = f"{task.due_on:%B} {task.due_on.day}, {task.due_on.year}"
    # Who leads comes first: of one task a person has one notice.
    for each in levels:
        rule = CLOCK_RULES[each]
        title = rule.title.format(since=since, stage=FACTS[task.stage].label)
        yield from ((side, rule._replace(title=title)) for side in rule.sides or (task.side,))


def follow_up(event: Event, *, now: datetime) -> Task:
    """The task that tells the other side of an event, and settles what waited for it."""
    return Task(
        outbox_id=derived_id("out", STAGE_CHANGED, event.referral_id, event.event_id),
        referral_id=event.referral_id,
        rule=STAGE_CHANGED if isinstance(event, StageChange) else event.type,
        lane=Lane.EVENT,
        due_at=now,
        stage=event.stage if isinstance(event, StageChange) else None,
        event_id=event.event_id,
    )


def window_plan(referral: Referral, window: Window) -> Iterator[Task]:
    """Every notice of a monitoring window, each due from the start of its day at the center."""
    for milestone in window.milestones:
        rule = WINDOW_RULES.get(milestone.kind)
        for side in rule.sides if rule else ():
            yield _planned(referral, window, milestone.kind, milestone.on, side)


def opening(referral: Referral, window: Window, *, infused_on: date) -> Task:
    """The task that moves the referral on to monitoring, the day after the last infusion.

    Not counted from the window's day 0: where the first part of a split dose opens the window,
    the second is still to come.
    """
    return _planned(referral, window, OPEN_MONITORING, infused_on + timedelta(days=1), None)


def _planned(
    referral: Referral, window: Window, rule: str, due_on: date, side: TenantKind | None
) -> Task:
    ids = (referral.referral_id, rule, due_on.isoformat(), side or "")
    return Task(
        outbox_id=derived_id("out", *ids),
        referral_id=referral.referral_id,
        rule=rule,
        lane=Lane.PLAN,
        due_at=start_of_day(due_on, window.time_zone),
        due_on=due_on,
        side=side,
    )


def still_wanted(task: Task, referral: Referral) -> bool:
    """Whether a planned task still makes sense as the referral stands now.

    A death, a transfer or any other ending silences the window, and so does a hand-back. A
    corrected infusion or an extension makes another plan, and what is not in it is off.
    """
    if task.lane is Lane.EVENT or task.rule == GIVE_UP:
        return True
    if referral.stage in TERMINAL or referral.window is None:
        return False
    if task.rule == OPEN_MONITORING:
        # A center's own day of infusion may be the one before that of the zone.
        told = local_day(referral.reached[Stage.INFUSED], referral.window.time_zone)
        return referral.stage is Stage.INFUSED and (task.due_on or told) >= told
    plan = {(t.rule, t.due_on, t.side) for t in window_plan(referral, referral.window)}
    if (task.rule, task.due_on, task.side) not in plan:
        return False
    handed_back = referral.phase is Phase.FOLLOW_UP and referral.stage is not Stage.HANDBACK_READY
    return not handed_back
