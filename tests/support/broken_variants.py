"""What the product must not do: a search for lost events has to find these variants."""

from dataclasses import replace

from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.stage_changes import Applied
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import UnavailableError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.services.referrals.event_writes import prepare_event_writes
from chalicelib.services.referrals.report_results import ReportResult
from chalicelib.store.platform.transactions import ConditionFailedError
from tests.support.factories import CENTER
from tests.support.referral_values import build_stage_change
from tests.support.service_driver import MINUTE, ServiceDriver


def deliver_unsafely(driver: ServiceDriver, referral_id: str) -> ReportResult:
    """Mark the delivery as processed, then act, then plan the email.

    Each write is conditional and looks careful.
    """
    stores = driver.stores
    at = driver.now + MINUTE
    change = build_stage_change(Stage.ACCEPTED, at, referral_id=referral_id, event_id=f"evt-{referral_id}")
    outcome = ReportResult(status="applied", referral_id=referral_id, event_id=change.event_id, stage="accepted")
    seen = {"center_id": CENTER.tenant_id, "webhook_id": referral_id, "referral_id": referral_id}
    if not stores.delivery_log.table.put(seen, when="attribute_not_exists(center_id)"):
        return replace(outcome, status="duplicate")
    before, context = stores.referrals.get(referral_id), RunContext(stores, at)
    assert before is not None
    verdict = decide_event(before, change, load_decision_context(before, context=context))
    assert isinstance(verdict, Applied)
    try:
        for write in prepare_event_writes(verdict, change, CENTER.tenant_id, before=before, context=context):
            stores.transactions._commit_with_retries([write])  # `commit` itself would notice half a change.
    except ConditionFailedError as e:
        raise UnavailableError from e
    return outcome
