"""Overdue alerts: scheduled when a referral changes, sent when a stage lasts too long.

Each change of a referral schedules its one outbox row for the next alert, in the same transaction. The
row only has the time to check. The alert itself is computed from the current referral, so it is correct
even if a turnaround limit was changed or the run is days late.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from chalicelib.domain.notices.overdue_alerts import LastAlert, OverdueAlert, StageAlerts
from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.services.notices.planned_list import NoticeState, PlannedNotice
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.overdue_alert_writes import compute_alerts
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.overdue_alerts import parse_last_alert
from chalicelib.store.platform.timestamps import from_timestamp

NotifyRecipients = Callable[[OutboxTask, Referral], Sequence[str]]
"""Notifies everyone who must know about a task. Returns the ids of the emails that it planned."""


def send_overdue_alert(
    claim: Claim, *, notify: NotifyRecipients, context: RunContext
) -> tuple[TaskState, Sequence[str]]:
    """Send the overdue alert of the level that a referral has reached, once, and schedule the next one.

    After a long outage only the highest level is sent; its text has the date since which the stage is
    overdue.
    """
    task, last_alert = claim.task, parse_last_alert(claim.row)
    referral = context.stores.referrals.get(task.referral_id)
    stage_alerts = compute_alerts(referral, stores=context.stores) if referral else None
    due = stage_alerts.get_due(context.now, last_alert) if stage_alerts else None
    mail_ids: Sequence[str] = ()
    if referral and stage_alerts and due:
        skipped = stage_alerts.has_skipped_level(due, last_alert)
        alert_task = _build_alert_task(stage_alerts, due, task.due_at, referral, skipped_level_missed=skipped)
        mail_ids = notify(alert_task, referral)
        last_alert = LastAlert(stage_alerts.stage_visit, due.level)
    next_at = stage_alerts.get_next_time(context.now) if stage_alerts else None
    context.stores.overdue_alerts.set_next_level(claim, last_alert=last_alert, next_at=next_at)
    return (TaskState.DONE if due else TaskState.SKIPPED), mail_ids


def list_upcoming_alerts(referral: Referral, *, context: RunContext) -> Sequence[PlannedNotice]:
    """List the overdue alerts that a referral will send if its stage does not change, earliest first.

    A failed row sends nothing until it is retried, and a row that is not in the index sends nothing.
    """
    stage_alerts = compute_alerts(referral, stores=context.stores)
    row = context.stores.overdue_alerts.get(referral.referral_id) if stage_alerts else None
    if stage_alerts is None or row is None or row["state"] == TaskState.DONE:
        return ()
    last_alert, scheduled_for = parse_last_alert(row), from_timestamp(row["planned_for"])
    has_failed = row["state"] == TaskState.FAILED
    state = NoticeState.FAILED if has_failed else NoticeState.SCHEDULED
    planned = []
    for alert in stage_alerts.list_upcoming(context.now, last_alert):
        is_due = alert.at <= context.now
        if has_failed and not is_due:
            break
        skipped = is_due and stage_alerts.has_skipped_level(alert, last_alert)
        task = _build_alert_task(stage_alerts, alert, scheduled_for, referral, skipped_level_missed=skipped)
        planned.append(PlannedNotice(task=task, due_on=alert.starts_on, state=state))
    return planned


def _build_alert_task(
    stage_alerts: StageAlerts,
    alert: OverdueAlert,
    scheduled_for: datetime,
    referral: Referral,
    *,
    skipped_level_missed: bool,
) -> OutboxTask:
    """Build the task that sends an alert. Its id and its time are the same at every attempt."""
    return OutboxTask(
        outbox_id=derive_id("out", alert.level, referral.referral_id, stage_alerts.stage_visit),
        referral_id=referral.referral_id,
        rule=alert.level,
        queue=TaskQueue.OVERDUE,
        due_at=max(alert.at, scheduled_for),
        due_on=stage_alerts.late_since,
        side=stage_alerts.waiting_for,
        stage=stage_alerts.stage,
        skipped_level_missed=skipped_level_missed,
    )
