"""What the product must not do, so that a search for lost events is known to find one."""

from dataclasses import replace

from chalicelib.domain.referrals.apply_event import decide
from chalicelib.domain.referrals.stage_changes import Applied
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import UnavailableError
from chalicelib.services.referrals.event_writes import Outcome, setting_of, writes_of
from chalicelib.store.platform.transactions import ConditionFailed
from tests.support.desk import MINUTE, Desk
from tests.support.factories import CENTER
from tests.support.journey import a_change


def naive_delivery(desk: Desk, referral_id: str) -> Outcome:
    """Mark the delivery as seen, then act, then plan the mail.

    Each write is conditional and looks careful.
    """
    stores = desk.stores
    at = desk.now + MINUTE
    change = a_change(Stage.ACCEPTED, at, referral_id=referral_id, event_id=f"evt-{referral_id}")
    outcome = Outcome(
        status="applied", referral_id=referral_id, event_id=change.event_id, stage="accepted"
    )
    seen = {"center_id": CENTER.tenant_id, "webhook_id": referral_id, "referral_id": referral_id}
    if not stores.deliveries.table.put(seen, when="attribute_not_exists(center_id)"):
        return replace(outcome, status="duplicate")
    before = stores.referrals.get(referral_id)
    assert before is not None
    verdict = decide(before, change, setting_of(before, stores=stores, now=at))
    assert isinstance(verdict, Applied)
    try:
        for write in writes_of(verdict, change, CENTER.tenant_id, before=before, stores=stores):
            stores.ledger._commit([write])  # `commit` itself would see half a change.
    except ConditionFailed as e:
        raise UnavailableError from e
    return outcome
