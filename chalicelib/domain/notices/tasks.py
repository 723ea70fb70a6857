"""Tasks in the outbox: which queue a task belongs to, and what it is about."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.referrals.events import ReferralEvent, StageChange, ToxicityNoticed, derive_id
from chalicelib.domain.referrals.stages import Stage

OPEN_MONITORING_RULE = "open_monitoring"
EXPIRE_PARKED_RULE = "give_up"
STAGE_CHANGED_RULE = "stage_changed"

READMISSION_RULE = "readmission"
"""A kind of toxicity notice, and a rule of its own: the referring team hears of it as such."""

HANDBACK_WRITTEN_RULE = "handback_written"
"""No event moves a referral by it: the center wrote or corrected the package it hands back with."""


class TaskQueue(StrEnum):
    """Queues of work: what follows from an event, was planned for a day, or comes by itself."""

    EVENT = "event"
    PLAN = "plan"
    CLOCK = "clock"
    """The next alarm of each referral. See `domain.alarms`."""
    DIGEST = "digest"
    """The next digest of each member. See `domain.digest`."""
    MAIL = "mail"
    """What is to be mailed. See `domain.mailing`."""


class DateChangeReason(StrEnum):
    """Why a notice names another day than one that was sent before."""

    CORRECTED = "Corrected: "
    """The infusion was on another day."""
    EXTENDED = "New date: "


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxTask:
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
    queue: TaskQueue
    due_at: datetime
    due_on: date | None = None
    side: TenantKind | None = None
    stage: Stage | None = None
    event_id: str | None = None
    skipped_level_missed: bool = False
    infused_on: date | None = None
    replaces: str | None = None
    is_late: bool = False
    date_change: DateChangeReason | None = None


def build_event_task(event: ReferralEvent, *, now: datetime) -> OutboxTask:
    """The task that tells the other side of an event, and settles what waited for it."""
    return OutboxTask(
        outbox_id=derive_id("out", STAGE_CHANGED_RULE, event.referral_id, event.event_id),
        referral_id=event.referral_id,
        rule=_get_rule_name(event),
        queue=TaskQueue.EVENT,
        due_at=now,
        stage=event.stage if isinstance(event, StageChange) else None,
        event_id=event.event_id,
    )


def _get_rule_name(event: ReferralEvent) -> str:
    if isinstance(event, StageChange):
        return STAGE_CHANGED_RULE
    if isinstance(event, ToxicityNoticed) and event.kind == READMISSION_RULE:
        return READMISSION_RULE
    return event.type
