"""Adds to a task about care or a planned date what was reported, when its notice is written."""

from dataclasses import replace

from chalicelib.domain.notices.care_notices import describe_care_event
from chalicelib.domain.notices.coverage_notices import COVERAGE_EVENT_PREFIX
from chalicelib.domain.notices.plan_notices import (
    CONSULTATION_BOOKED_RULE,
    CONSULTATION_CANCELED_RULE,
    describe_plan_event,
)
from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.domain.referrals.referral import Referral
from chalicelib.services.platform.run_context import RunContext


def with_care_detail(task: OutboxTask, referral: Referral, *, context: RunContext) -> OutboxTask:
    """Read the event of a task that names the side to notify, or a consultation, and describe it.

    Other tasks stay as they are.
    """
    is_described = task.side is not None or task.rule in {CONSULTATION_BOOKED_RULE, CONSULTATION_CANCELED_RULE}
    if task.event_id is None or not is_described or task.rule.startswith(COVERAGE_EVENT_PREFIX):
        return task
    center = context.stores.tenants.get_center(referral.center_id)
    zone = referral.window.time_zone if referral.window else center.tenant.time_zone if center else "UTC"
    events = context.stores.referrals.list_history(referral.referral_id)
    event = next((event for event in events if event.event_id == task.event_id), None)
    if event is None:
        return task
    detail = describe_care_event(event, time_zone=zone) or describe_plan_event(event, events, time_zone=zone)
    return replace(task, detail=detail)
