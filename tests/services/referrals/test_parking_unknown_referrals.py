"""Parked deliveries for unknown referrals: limited, stored apart, and indistinguishable for the sender."""

from dataclasses import replace

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform import rate_limit as limits
from chalicelib.domain.platform.rate_limit import MAX_PARKED_PER_REFERRAL, RateLimit
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import RateLimitedError
from chalicelib.services.referrals import parking
from chalicelib.store.referrals.items import ParkedDelivery
from chalicelib.store.webhooks.delivery_log import Delivery
from tests.support import faults
from tests.support.factories import CENTER, NOON, OTHER_CENTER, PRACTICE, build_member
from tests.support.referral_values import build_stage_change
from tests.support.service_driver import MINUTE
from tests.support.stores import dump_tables

FEW = 3


@pytest.fixture
def low_unknown_limit(monkeypatch):
    """A limit of three."""
    monkeypatch.setattr(parking, "MAX_PARKED_PER_REFERRAL", FEW)


def park(stores, count, *, center=OTHER_CENTER, referral_id="ref_1"):
    """Park some deliveries of a center for a referral that is not its own."""
    rows = [
        ParkedDelivery(
            delivery=Delivery(center_id=center.tenant_id, webhook_id=f"msg-{n}", body_hash="0", received_at=NOON),
            event=build_stage_change(Stage.INFUSED, NOON, event_id=f"evt_{n}", referral_id=referral_id),
            is_unknown_referral=True,
        )
        for n in range(count)
    ]
    for start in range(0, count, 100):
        batch = rows[start : start + 100]
        stores.transactions.commit(*(stores.referrals.prepare_park(row) for row in batch))


def get_refusal(services, **delivery):
    """The error of a delivery when the limit is reached."""
    with pytest.raises(RateLimitedError) as refusal:
        services.deliver("accepted", **delivery)
    return refusal.value.code, refusal.value.detail, refusal.value.retry_after_s


def test_parked_deliveries_for_one_referral_are_limited(submitted_services, low_unknown_limit):
    """The fourth is refused, and nothing of it is saved."""
    for n in range(FEW):
        submitted_services.deliver("infused", webhook_id=f"msg-{n}", center=OTHER_CENTER)
    before = dump_tables()

    assert get_refusal(submitted_services, webhook_id="msg-more", center=OTHER_CENTER)[0] == "too_many_waiting"
    assert dump_tables() == before


def test_the_refusal_does_not_reveal_whether_a_referral_exists(submitted_services, low_unknown_limit):
    """The same text and the same retry time for another center's referral and an unknown one."""
    refusals = set()
    for referral_id in ("ref_1", "ref_unknown"):
        for n in range(FEW):
            sender = {"center": OTHER_CENTER, "webhook_id": f"{referral_id}-{n}"}
            submitted_services.deliver("infused", referral_id=referral_id, **sender)
        refusals.add(
            get_refusal(submitted_services, referral_id=referral_id, center=OTHER_CENTER, webhook_id=referral_id)
        )

    assert len(refusals) == 1


def test_the_response_time_does_not_reveal_whether_a_referral_exists(submitted_services):
    """Both need the same AWS calls, apart from the update of the daily count."""
    operations = []
    for n, referral_id in enumerate(("ref_warm_up", "ref_1", "ref_unknown")):
        sender = {"center": OTHER_CENTER, "webhook_id": f"msg-{n}"}
        with faults.inject_faults(faults.plan_never) as calls:
            submitted_services.deliver("infused", referral_id=referral_id, **sender)
        operations.append([name for name in calls.operations if name != "UpdateItem"])

    assert operations[1] == operations[2]


def test_a_repeat_of_a_parked_delivery_succeeds_at_the_limit(submitted_services, low_unknown_limit):
    """A repeat does not count again."""
    for n in range(FEW):
        submitted_services.deliver("infused", webhook_id=f"msg-{n}", center=OTHER_CENTER)

    assert submitted_services.deliver("infused", webhook_id="msg-0", center=OTHER_CENTER).status == "parked"


def test_another_centers_parked_deliveries_do_not_block_the_own_center(submitted_services, low_unknown_limit):
    """The referral's own center can still send, early or not."""
    for n in range(FEW):
        submitted_services.deliver("infused", webhook_id=f"msg-{n}", center=OTHER_CENTER)

    assert submitted_services.deliver("infused", at=submitted_services.now + MINUTE).status == "parked"
    assert submitted_services.deliver("accepted").status == "applied"


def test_the_own_centers_parked_deliveries_are_limited_too(submitted_services, low_unknown_limit):
    """They are read with every decision. A delivery that is not early still applies."""
    for n in range(FEW):
        submitted_services.deliver("infused", webhook_id=f"msg-{n}", at=submitted_services.now + MINUTE)

    with pytest.raises(RateLimitedError):
        submitted_services.deliver("infused", webhook_id="msg-more", at=submitted_services.now + MINUTE)
    assert submitted_services.deliver("accepted").status == "applied"


def test_a_center_can_try_only_a_limited_number_of_unknown_ids(submitted_services, monkeypatch):
    """A search for referral ids ends after a few thousand attempts."""
    monkeypatch.setattr(parking, "UNKNOWN_REFERRALS_PER_CENTER", RateLimit(burst=2, per_second=1 / 43_200))
    for n in range(2):
        sender = {"center": OTHER_CENTER, "webhook_id": f"msg-{n}"}
        submitted_services.deliver("accepted", referral_id=f"ref_try_{n}", **sender)

    code, _, retry_after_s = get_refusal(submitted_services, referral_id="ref_try_2", center=OTHER_CENTER)

    assert code == "too_many_waiting"
    assert retry_after_s > 3600
    assert submitted_services.deliver("infused", referral_id="ref_try_3").status == "parked"


def test_a_decision_does_not_read_other_centers_deliveries(submitted_services):
    """Ten thousand of them would not make any request slower."""
    park(submitted_services.stores, MAX_PARKED_PER_REFERRAL)

    referral, parked = submitted_services.stores.referrals.get_with_parked("ref_1")

    assert referral is not None
    assert parked == []
    assert len(submitted_services.list_events()) == 1


def test_counting_parked_deliveries_stops_at_the_limit(submitted_services):
    """However many an earlier release accepted, the count reads only as many as it needs."""
    park(submitted_services.stores, 30)

    count = submitted_services.stores.referrals.count_parked_for_unknown("ref_1", OTHER_CENTER.tenant_id, limit=7)

    assert count == 7


def test_a_delivery_before_the_submission_applies_after_it(services):
    """A member submits the draft; the center's earlier delivery is applied at once."""
    services.refer(submit=False)
    services.now += MINUTE
    services.deliver("accepted", at=services.now + 2 * MINUTE)
    assert services.stores.referrals.count_parked_for_unknown("ref_1", CENTER.tenant_id, limit=9) == 1

    services.now += MINUTE
    services.report("submitted", member=build_member(PRACTICE))

    assert services.get_referral().stage is Stage.ACCEPTED
    assert services.stores.referrals.count_parked_for_unknown("ref_1", CENTER.tenant_id, limit=9) == 0


def test_a_delivery_before_the_referral_applies_with_the_relay(services):
    """The relay checks each committed event, including the submission."""
    services.deliver("accepted", at=NOON + 2 * MINUTE)
    services.refer()

    services.run_queue(TaskQueue.EVENT)

    assert services.get_referral().stage is Stage.ACCEPTED


def test_another_centers_deliveries_never_apply(submitted_services):
    """However much the own center reports and however often the relay runs."""
    submitted_services.deliver("infused", center=OTHER_CENTER, at=NOON)

    submitted_services.move_to("received", "accepted")
    submitted_services.run_queue(TaskQueue.EVENT)

    assert submitted_services.get_referral().stage is Stage.ACCEPTED
    count = submitted_services.stores.referrals.count_parked_for_unknown("ref_1", OTHER_CENTER.tenant_id, limit=9)
    assert count == 1


def test_the_limit_allows_a_whole_history_twice():
    """For a sender that repeats a whole history early, out of order and under new ids."""
    assert 2 * len(Stage) <= limits.MAX_PARKED_PER_REFERRAL
    assert replace(limits.UNKNOWN_REFERRALS_PER_CENTER).burst >= limits.MAX_PARKED_PER_REFERRAL
