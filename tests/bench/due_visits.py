"""Patients whose visit is due today, for the benchmarks of notices."""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib import catalog
from chalicelib.domain.identity.members import Tenant
from chalicelib.domain.notices.planning import build_plan
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import EventOrder
from chalicelib.domain.referrals.monitoring_window import get_start_of_day, open_window, to_local_day
from chalicelib.domain.referrals.stages import Stage
from chalicelib.store.all_stores import Stores
from tests.support.factories import CENTER
from tests.support.referral_values import build_audit_entry, build_referral

RULE, DAY = "visit_day_30", 30


def add_due_visit(stores: Stores, practice: Tenant, name: str, *, now: datetime) -> None:
    """Store a referral whose visit on day 30 is due today, since the day began, so that it is not late."""
    at = now - timedelta(days=DAY)
    # By the calendar there: so many times 24 hours may cross a change of the clocks.
    today = to_local_day(now, CENTER.time_zone)
    window = open_window(
        infused_at=at,
        local_date=today - timedelta(days=DAY),
        time_zone=CENTER.time_zone,
        profile=catalog.get_monitoring_profile("breyanzi"),
    )
    referral = build_referral(
        Stage.FOLLOW_UP,
        referral_id=derive_id("ref", "bench", name),
        practice_id=practice.tenant_id,
        window=window,
        last_applied_order=EventOrder(at, 0, "evt_0"),
        stage_entered_at={Stage.INFUSED: at, Stage.FOLLOW_UP: at},
    )
    stores.transactions.commit(*stores.referrals.prepare_add(referral, build_audit_entry(referral)))
    [task] = [task for task in build_plan(referral) if task.rule == RULE]
    due_at = get_start_of_day(today, CENTER.time_zone)
    stores.transactions.commit(stores.outbox.prepare_plan(replace(task, due_at=due_at)))
