"""Overdue alerts of a referral, and the write that keeps its next alert current.

Each change of a referral also sets its one alert row in the outbox, in the same transaction.
"""

from collections.abc import Sequence

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.overdue_alerts import (
    StageAlerts,
    compute_stage_alerts,
    find_side_to_act,
    has_same_alerts,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import TransactionWrite


def prepare_alert_writes(before: Referral | None, after: Referral, *, stores: Stores) -> Sequence[TransactionWrite]:
    """The write that a change of a referral adds to its transaction; none if its alerts stay the same."""
    if has_same_alerts(before, after):
        return ()
    stage_alerts = compute_alerts(after, stores=stores)
    alert_times = [alert.at for alert in stage_alerts.alerts] if stage_alerts else []
    return [stores.overdue_alerts.prepare_set(after.referral_id, alert_times, now=after.updated_at)]


def compute_alerts(referral: Referral, *, stores: Stores) -> StageAlerts | None:
    """The overdue alerts of a referral, by the calendar of the organization that acts next."""
    side = find_side_to_act(referral)
    if side is None:
        return None
    tenant_id = referral.practice_id if side is TenantKind.PRACTICE else referral.center_id
    tenant = stores.tenants.get_cached(side, tenant_id) if tenant_id else None
    return compute_stage_alerts(referral, tenant.time_zone if tenant else "UTC")
