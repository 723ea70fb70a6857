"""The tasks that the domain requires of a referral now, whatever the outbox contains.

Tasks are created by the transaction of an event, and nothing else ever compares them with the referral. These are
computed from the referral and its history with the same functions, so their ids and due times are the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chalicelib.domain.consultation.invitations import CalendarInvitation
from chalicelib.domain.notices.consultation_notices import add_invitation
from chalicelib.domain.notices.coverage_schedule import COVERAGE_DATE_PASSED_RULE, build_coverage_tasks
from chalicelib.domain.notices.notice_schedule import NOTICE_SCHEDULE, NoticeSeries
from chalicelib.domain.notices.planning import (
    build_consultation_reminder,
    build_open_monitoring_task,
    build_plan,
    find_skip_reason,
    get_local_day,
)
from chalicelib.domain.notices.tasks import OutboxTask, build_contradiction_task, build_event_task
from chalicelib.domain.referrals.conversation import NO_CONVERSATION, Conversation, follow_conversation
from chalicelib.domain.referrals.events import CoverageChanged, EventStatus, FactsChanged, ReferralEvent, StageChange
from chalicelib.domain.referrals.history_start import get_referred_on
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.planned_dates import brings_new_date
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.replay import list_effective_events, replay_history, reset_to_draft
from chalicelib.domain.referrals.stage_changes import DecisionContext
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.domain.referrals.status_events import STATUS_DECIDERS
from chalicelib.services.referrals.delivery_writes import build_expiry_task
from chalicelib.store.referrals.items import LoggedEvent, ParkedDelivery

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralHistory:
    """A referral with everything that its tasks follow from.

    Attributes:
        events: The history, in replay order.
        invitations: The invitations to calendars.
        decision_context: The product's monitoring profile, the center's time zone, and the time.
        practice_zone: The time zone of the practice.
    """

    referral: Referral
    events: Sequence[LoggedEvent]
    parked: Sequence[ParkedDelivery]
    invitations: Sequence[CalendarInvitation]
    decision_context: DecisionContext
    practice_zone: str

    def replay(self, events: Sequence[ReferralEvent]) -> Referral:
        """Compute the state that some of the events lead to."""
        context = self.decision_context
        if self.referral.window:
            context = replace(context, profile=self.referral.window.profile)
        return replay_history(reset_to_draft(self.referral), events, context, deciders=STATUS_DECIDERS).referral

    def follow_conversation(self) -> Conversation:
        """Compute what is open between the two teams from the whole history."""
        conversation = NO_CONVERSATION
        for logged in sorted(self.events, key=lambda each: each.event.recorded_at):
            if logged.status is EventStatus.APPLIED:
                conversation = follow_conversation(conversation, logged.event)
        return conversation


def list_required_tasks(history: ReferralHistory, *, since: datetime) -> Iterator[OutboxTask]:
    """List every task that the outbox must have, in any state.

    Args:
        history: The referral and its history.
        since: Tasks of events that were recorded before are not listed; their rows may have been removed.
    """
    yield from _list_planned_notices(history)
    yield from _list_openings(history)
    yield from _list_reminders(history)
    yield from _list_coverage_tasks(history)
    yield from (
        build_expiry_task(each.event.referral_id, each.delivery, now=each.delivery.received_at)
        for each in history.parked
    )
    yield from _list_event_tasks(history, since=since)
    contradiction = history.referral.status.contradiction
    learned_at = max((each.event.recorded_at for each in history.events), default=_LONG_AGO)
    if contradiction and contradiction.ending is not history.referral.stage and learned_at >= since:
        yield build_contradiction_task(contradiction, history.referral.referral_id, now=learned_at)


def _list_planned_notices(history: ReferralHistory) -> Iterator[OutboxTask]:
    """List the plan from the infusion on: what is ahead, and of each series the last notice that is past.

    What is past before that was replaced by a later notice when the plan was made, or was sent.
    """
    referral = history.referral
    if referral.window is None:
        return
    today = to_local_day(history.decision_context.now, referral.window.time_zone)
    past: dict[NoticeSeries, OutboxTask] = {}
    for task in build_plan(referral):
        if get_local_day(task) >= today:
            yield task
        elif not _is_before_submission(task, referral) and find_skip_reason(task, referral) is None:
            series = NOTICE_SCHEDULE[task.rule].series
            past[series] = max(past.get(series, task), task, key=get_local_day)
    yield from past.values()


def _is_before_submission(task: OutboxTask, referral: Referral) -> bool:
    if referral.submitted_at is None or referral.window is None or get_referred_on(referral) is None:
        return False
    return get_local_day(task) < to_local_day(referral.submitted_at, referral.window.time_zone)


def _list_openings(history: ReferralHistory) -> Iterator[OutboxTask]:
    """The task that opens monitoring the day after the last infusion."""
    referral = history.referral
    if referral.window is None or referral.stage is not Stage.INFUSED or referral.doses_given < referral.dose_total:
        return
    infused_on = to_local_day(referral.stage_entered_at[Stage.INFUSED], referral.window.time_zone)
    for event in list_effective_events([each.event for each in history.events]):
        if isinstance(event, StageChange) and event.stage is Stage.INFUSED and event.local_date:
            infused_on = event.local_date
    yield build_open_monitoring_task(referral, referral.window, infused_on=infused_on)


def _list_reminders(history: ReferralHistory) -> Iterator[OutboxTask]:
    """The reminder of a consultation that is still ahead, also if the reminder itself is past."""
    referral, now = history.referral, history.decision_context.now
    reminder = build_consultation_reminder(referral, time_zone=history.decision_context.time_zone, now=_LONG_AGO)
    if reminder is None or referral.stage in TERMINAL_STAGES:
        return
    was_planned_before = any(each.event.recorded_at <= reminder.due_at for each in history.events[-1:])
    is_ahead = get_local_day(reminder) >= to_local_day(now, history.decision_context.time_zone)
    if reminder.due_at > now or (is_ahead and was_planned_before):
        yield reminder


def _list_coverage_tasks(history: ReferralHistory) -> Iterator[OutboxTask]:
    """The reminders of the coverage's dates that are ahead, and recording what has ended."""
    referral = history.referral
    if referral.stage in TERMINAL_STAGES:
        return
    today = to_local_day(history.decision_context.now, history.practice_zone)
    for task in build_coverage_tasks(
        referral.referral_id, referral.coverage, today=_LONG_AGO.date(), time_zone=history.practice_zone
    ):
        if get_local_day(task) > today or (task.rule == COVERAGE_DATE_PASSED_RULE and get_local_day(task) <= today):
            yield task


def _list_event_tasks(history: ReferralHistory, *, since: datetime) -> Iterator[OutboxTask]:
    """The task of each event that was applied, which notifies the other side and applies what is parked."""
    arrived = sorted(history.events, key=lambda each: each.event.recorded_at)
    for position, logged in enumerate(arrived):
        event = logged.event
        if logged.status is not EventStatus.APPLIED or event.recorded_at < since:
            continue
        if isinstance(event, CoverageChanged | FactsChanged):
            continue  # Their tasks follow from rows of their own; see `row_tasks`.
        earlier = [each.event for each in arrived[:position]]
        before = history.replay(earlier) if earlier else reset_to_draft(history.referral)
        after = history.replay([*earlier, event])
        task = build_event_task(
            event,
            now=event.recorded_at,
            has_new_date=brings_new_date(before, after, event),
            corrects_death=before.died_at is not None and after.died_at is None,
        )
        invitation = _find_invitation(history, event)
        yield add_invitation(task, event, invitation) if invitation else task


def _find_invitation(history: ReferralHistory, event: ReferralEvent) -> CalendarInvitation | None:
    """The newest invitation, if an event says when the consultation is. Calendars need only the newest."""
    planned_day = getattr(event, "starts_at", None) or getattr(event, "on", None)
    if planned_day is None or not history.invitations:
        return None
    newest = max(history.invitations, key=lambda each: (each.key,))
    return newest if planned_day in (newest.starts_at, newest.on) else None
