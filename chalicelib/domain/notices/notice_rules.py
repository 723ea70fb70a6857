"""Which notice is due when, to which side. Data, so that a notice is added by adding a row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.notice_schedule import SCHEDULE, Entry, Line
from chalicelib.domain.notices.overdue_alerts import AlarmLevel
from chalicelib.domain.referrals.events import (
    Event,
    EventType,
    StageChange,
    ToxicityNoticed,
    derived_id,
)
from chalicelib.domain.referrals.stages import FACTS, Stage


class Lane(StrEnum):
    """Queues of work: what follows from an event, was planned for a day, or comes by itself."""

    EVENT = "event"
    PLAN = "plan"
    CLOCK = "clock"
    """The next alarm of each referral. See `domain.alarms`."""
    DIGEST = "digest"
    """The next digest of each member. See `domain.digest`."""
    MAIL = "mail"
    """What is to be mailed. See `domain.mailing`."""


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
    FOLLOW_UP = "follow_up"
    DIGEST = "digest"
    CHECK_IN = "check_in"
    """Nothing is due and nothing happened: mailed to nobody who has not asked for it."""


MAILED_IF_CHOSEN: frozenset[Category] = frozenset({Category.CHECK_IN})
"""What is mailed only to who chose so; anything else is, unless somebody chose otherwise."""


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

READMITTED = "readmission"
"""A kind of toxicity notice, and a rule of its own: the referring team hears of it as such."""

HANDBACK_WRITTEN = "handback_written"
"""No event moves a referral by it: the center wrote or corrected the package it hands back with."""

EVENT_RULES: Mapping[str, Rule] = {
    EventType.HOLD_STARTED: Rule(_BOTH, "The referral is on hold"),
    EventType.HOLD_ENDED: Rule(_BOTH, "The hold is over"),
    EventType.TOXICITY_NOTICED: Rule(_PRACTICE, "The center noticed a toxicity", Category.CRITICAL),
    READMITTED: Rule(_PRACTICE, "The patient was readmitted", Category.CRITICAL),
    EventType.WINDOW_EXTENDED: Rule(_PRACTICE, "The center extended the monitoring window"),
    EventType.WITHDRAWAL_REQUESTED: Rule(_CENTER, "The practice asks to withdraw the referral"),
    EventType.REOPENED: Rule(_BOTH, "The referral was opened again"),
    EventType.CORRECTED: Rule(_BOTH, "An earlier report was corrected"),
    HANDBACK_WRITTEN: Rule(_PRACTICE, "The center wrote or corrected the hand-back package"),
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
_CATEGORY_OF: Mapping[Line, Category] = {
    Line.WATCH: Category.WINDOW,
    Line.CHECK_IN: Category.CHECK_IN,
    Line.DOSE: Category.WINDOW,
    Line.DRIVING: Category.WINDOW,
    Line.HANDBACK: Category.WINDOW,
    Line.OVERDUE: Category.OVERDUE,
    Line.ACKNOWLEDGEMENT: Category.OVERDUE,
    Line.FOLLOW_UP: Category.FOLLOW_UP,
}

OPEN_MONITORING = "open_monitoring"
GIVE_UP = "give_up"
STAGE_CHANGED = "stage_changed"


class Moved(StrEnum):
    """Why a notice names another day than one that was sent before."""

    CORRECTED = "Corrected: "
    """The infusion was on another day."""
    EXTENDED = "New date: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do because of an event, durable in the outbox until it is done.

    Attributes:
        outbox_id: Made from what it is about, so that planning twice makes one row.
        rule: A key of `SCHEDULE`, `EVENT_RULES` or `CLOCK_RULES`, `STAGE_CHANGED` or
            `OPEN_MONITORING`.
        due_on: The local day of a planned task; of a clock, the first day on which it was late.
        unheard: Whether a clock passed the level below its own and nobody was told of that.
        counted_from: Day 0 of the window that it was planned for.
        replaces: The task that had its place in the plan before a date moved.
        is_late: Whether it is told more than a day after its day; known when it is told.
        moved: What its words begin with where its reader was told another day; as known then.
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
    counted_from: date | None = None
    replaces: str | None = None
    is_late: bool = False
    moved: Moved | None = None


def told_by(task: Task) -> Iterator[tuple[TenantKind, Rule]]:
    """Which sides a task tells, and what."""
    if task.lane is Lane.CLOCK:
        yield from _told_by_clock(task)
        return
    for rule in _rules_of(task):
        worded = rule._replace(title=_worded(rule.title, task))
        yield from ((side, worded) for side in rule.sides)


def _rules_of(task: Task) -> Iterator[Rule]:
    if task.lane is Lane.PLAN:
        yield from _scheduled(SCHEDULE[task.rule])
        return
    rule = STAGE_RULES.get(task.stage) if task.stage else EVENT_RULES.get(task.rule)
    if rule:
        yield rule


def _scheduled(entry: Entry) -> Iterator[Rule]:
    """A row of the schedule; who leads first, since of one task a person has one notice."""
    category = _CATEGORY_OF[entry.line]
    if entry.leads:
        yield Rule(_CENTER, entry.leads, category, leads=True)
    if entry.practice:
        yield Rule(_PRACTICE, entry.practice, category)
    if entry.center:
        yield Rule(_CENTER, entry.center, category)


def _worded(title: str, task: Task) -> str:
    """The title, with what its reader would else take for a mistake of ours."""
    was_due = f" (was due on {task.due_on})" if task.is_late else ""
    return f"{task.moved or ''}{title}{was_due}"


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
        # A draft is its practice's alone.
        sides = () if task.stage is Stage.DRAFT else rule.sides
        yield from ((side, rule._replace(title=title)) for side in sides or (task.side,))


def follow_up(event: Event, *, now: datetime) -> Task:
    """The task that tells the other side of an event, and settles what waited for it."""
    return Task(
        outbox_id=derived_id("out", STAGE_CHANGED, event.referral_id, event.event_id),
        referral_id=event.referral_id,
        rule=_rule_of(event),
        lane=Lane.EVENT,
        due_at=now,
        stage=event.stage if isinstance(event, StageChange) else None,
        event_id=event.event_id,
    )


def _rule_of(event: Event) -> str:
    if isinstance(event, StageChange):
        return STAGE_CHANGED
    if isinstance(event, ToxicityNoticed) and event.kind == READMITTED:
        return READMITTED
    return event.type
