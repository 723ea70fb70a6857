"""Compares the row of a referral's next overdue alert with the referral, and with the alerts that were sent."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from chalicelib.domain.notices.overdue_alerts import AlertLevel, LastAlert, StageAlerts
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.overdue_alert_writes import compute_alerts
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.notices import SentNotice
from chalicelib.store.notices.overdue_alerts import parse_last_alert
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import from_timestamp
from infra.restore.findings import Finding, FindingKind
from infra.restore.load import CheckScope
from infra.restore.notice_fixes import derive_alert_task_id
from infra.restore.referral_checks import build_finding
from infra.restore.required_tasks import ReferralHistory


def check_alert(
    history: ReferralHistory, sent_by_task: Mapping[str, Sequence[SentNotice]], scope: CheckScope
) -> Iterator[Finding]:
    """Find an overdue alert that is not scheduled, is scheduled too late, or would be sent a second time."""
    referral, stores = history.referral, scope.run.stores
    alerts = compute_alerts(referral, stores=stores)
    row = stores.overdue_alerts.get(referral.referral_id)
    if alerts is None or (row is not None and row["state"] == TaskState.FAILED):
        return
    last = parse_last_alert(row) if row else None
    sent = _find_last_sent(referral.referral_id, alerts, sent_by_task)
    if sent and alerts.get_sent_rank(last) < sent.level.rank:
        problem, last = f"{sent.level} was sent", sent
    else:
        lost = _is_notice_lost(referral.referral_id, alerts, last, sent_by_task, scope)
        problem, last = ("its notice is missing", sent) if lost else ("", last)
    upcoming = alerts.list_upcoming(scope.run.now, last)
    if not problem and upcoming and _is_late(row, alerts.get_next_time(scope.run.now)):
        problem = f"{upcoming[0].level} is not scheduled"
    if problem:
        yield build_finding(
            FindingKind.ALERT_OUTDATED,
            referral,
            problem,
            fix=lambda context: _set_alert(referral.referral_id, last, context=context),
        )


def _is_late(row: Item | None, next_at: datetime | None) -> bool:
    """Whether nothing looks at the referral when its next level is reached. Looking too early changes nothing."""
    if row is None:
        return True
    return next_at is not None and ("lane" not in row or from_timestamp(row["planned_for"]) > next_at)


def _find_last_sent(
    referral_id: str, alerts: StageAlerts, sent_by_task: Mapping[str, Sequence[SentNotice]]
) -> LastAlert | None:
    """Find the highest level of this stage visit of which someone has a notice."""
    for level in reversed(AlertLevel):
        if derive_alert_task_id(referral_id, level, alerts.stage_visit) in sent_by_task:
            return LastAlert(alerts.stage_visit, level)
    return None


def _is_notice_lost(
    referral_id: str,
    alerts: StageAlerts,
    last: LastAlert | None,
    sent_by_task: Mapping[str, Sequence[SentNotice]],
    scope: CheckScope,
) -> bool:
    """Whether the row says that an alert was sent since the restore, and no one has its notice."""
    if last is None or last.stage_visit != alerts.stage_visit:
        return False
    reached = next((each.at for each in alerts.alerts if each.level is last.level), None)
    is_recent = reached is not None and reached >= scope.since
    return is_recent and derive_alert_task_id(referral_id, last.level, last.stage_visit) not in sent_by_task


def _set_alert(referral_id: str, last: LastAlert | None, *, context: RunContext) -> None:
    """Schedule the next alert of a referral, with the last one that was sent."""
    referral = context.stores.referrals.get(referral_id)
    alerts = compute_alerts(referral, stores=context.stores) if referral else None
    if alerts is None:
        return
    upcoming = [each.at for each in alerts.list_upcoming(context.now, last)]
    context.stores.transactions.commit(
        context.stores.overdue_alerts.prepare_set(referral_id, upcoming, now=context.now)
    )
    context.stores.overdue_alerts.set_last_alert(referral_id, last)
