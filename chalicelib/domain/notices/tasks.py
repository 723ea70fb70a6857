"""Tasks in the outbox: the queue that a task belongs to, and what the task is about."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.care_notices import find_adverse_event_rule, find_side_to_notify
from chalicelib.domain.notices.document_notices import find_document_rule, find_side_to_notify_of_document
from chalicelib.domain.notices.plan_notices import find_plan_rule, find_side_to_notify_of_plan
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import MessageSent, ReferralEvent, StageChange
from chalicelib.domain.referrals.referral import Contradiction
from chalicelib.domain.referrals.stages import Actor, Stage

OPEN_MONITORING_RULE = "open_monitoring"
EXPIRE_PARKED_RULE = "give_up"
ASK_PAYER_RULE = "ask_payer"
"""One attempt of an electronic benefits check. The task's event id names the check and the attempt."""
STAGE_CHANGED_RULE = "stage_changed"

MESSAGE_TO_PRACTICE_RULE = "message_to_practice"
MESSAGE_TO_CENTER_RULE = "message_to_center"
"""A message notifies the side that did not write it."""

HANDBACK_WRITTEN_RULE = "handback_written"
"""The center wrote or corrected the transition-of-care summary. No event follows, and no stage change."""


CONTRADICTION_RULE = "contradiction"
DEATH_CORRECTED_RULE = "death.corrected"
"""An ending was reported, and a step that is possible only if the patient continued is dated after it."""


class TaskQueue(StrEnum):
    """Queues of tasks: what follows from an event, what is planned for a day, and what recurs."""

    EVENT = "event"
    PLAN = "plan"
    OVERDUE = "clock"
    """The next overdue alert of each referral. See `domain.notices.overdue_alerts`."""
    DIGEST = "digest"
    """The next weekly digest of each member. See `domain.notices.weekly_digest`."""
    MAIL = "mail"
    """The emails to send. See `domain.notices.mail_timing`."""


class DateChangeReason(StrEnum):
    """Why a notice names another day than an earlier notice. The value begins the title."""

    CORRECTED = "Corrected: "
    """The infusion was on another day."""
    EXTENDED = "New date: "
    """The center extended monitoring, or named another product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxTask:
    """Something to do because of an event. It stays in the outbox until it is done.

    Attributes:
        outbox_id: Derived from what the task is about, so that planning it twice makes one row.
        rule: A key of `NOTICE_SCHEDULE`, `EVENT_RULES` or `OVERDUE_RULES`, or `STAGE_CHANGED_RULE`,
            `OPEN_MONITORING_RULE` or `EXPIRE_PARKED_RULE`.
        due_on: The local day of a planned task; for an overdue alert, the first overdue day.
        side: For an overdue alert, the side that must act next; for a report about care, the other side.
        skipped_level_missed: Whether an overdue alert skipped the level below and no one was notified of it.
        infused_on: Day 0 of the monitoring window that the task was planned for.
        replaces: The task that it replaces in the plan, after a date changed.
        is_late: Whether it is sent more than a day after its day; known only when it is sent.
        detail: What a report about care says, with what to do first; known only when it is sent.
        is_product_named: Whether a product is named; if not, the title says so. Not stored: known when it is sent.
        invitation: The key of an invitation that its emails carry; empty if there is none.
        date_change: How the title begins if an earlier notice named another day; known only when it is sent.
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
    detail: str = ""
    date_change: DateChangeReason | None = None
    is_product_named: bool = True
    invitation: str = ""


def build_event_task(
    event: ReferralEvent, *, now: datetime, has_new_date: bool = True, corrects_death: bool = False
) -> OutboxTask:
    """Build the task that notifies the other side of an event and applies the events parked for it.

    Args:
        event: The event that was applied.
        now: The time of the commit.
        has_new_date: Whether the planned date of a status is news. A known date is not notified again.
        corrects_death: Whether the event shows that a reported death was an error. Both sides stopped
            their care when they read of the death, so this is as urgent as the death was.
    """
    plan_rule = find_plan_rule(event) if has_new_date else None
    special_rule = DEATH_CORRECTED_RULE if corrects_death else plan_rule
    return OutboxTask(
        outbox_id=derive_id("out", STAGE_CHANGED_RULE, event.referral_id, event.event_id),
        referral_id=event.referral_id,
        rule=special_rule or _get_rule_name(event),
        queue=TaskQueue.EVENT,
        due_at=now,
        stage=event.stage if isinstance(event, StageChange) and not special_rule else None,
        event_id=event.event_id,
        side=(
            find_side_to_notify(event) or find_side_to_notify_of_plan(event) or find_side_to_notify_of_document(event)
        ),
    )


def build_contradiction_task(contradiction: Contradiction, referral_id: str, *, now: datetime) -> OutboxTask:
    """Build the task that asks both sides which of two reports is right; one for each pair of reports."""
    step_at = contradiction.step_at.isoformat()
    return OutboxTask(
        outbox_id=derive_id(
            "out", CONTRADICTION_RULE, referral_id, contradiction.ending_id, contradiction.step, step_at
        ),
        referral_id=referral_id,
        rule=CONTRADICTION_RULE,
        queue=TaskQueue.EVENT,
        due_at=now,
        event_id=contradiction.ending_id,
    )


def _get_rule_name(event: ReferralEvent) -> str:
    if isinstance(event, StageChange):
        return STAGE_CHANGED_RULE
    if isinstance(event, MessageSent):
        return MESSAGE_TO_CENTER_RULE if event.actor is Actor.PRACTICE else MESSAGE_TO_PRACTICE_RULE
    return find_adverse_event_rule(event) or find_document_rule(event) or event.type
