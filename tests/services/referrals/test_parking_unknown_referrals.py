"""Deliveries for referrals that are not their center's: few, apart, and told alike."""

from dataclasses import replace

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform import rate_limit as limits
from chalicelib.domain.platform.rate_limit import MAX_PARKED_PER_REFERRAL, RateLimit
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import RateLimitedError
from chalicelib.services.referrals import parking as waiting
from chalicelib.store.referrals.items import ParkedDelivery
from chalicelib.store.webhooks.idempotency import Delivery
from tests.support import faults
from tests.support import stores as shelves
from tests.support.factories import CENTER, NOON, OTHER_CENTER, PRACTICE, build_member
from tests.support.referral_values import build_stage_change
from tests.support.service_driver import MINUTE

FEW = 3


@pytest.fixture
def low_unknown_limit(monkeypatch):
    """Room for three."""
    monkeypatch.setattr(waiting, "MAX_PARKED_PER_REFERRAL", FEW)


def park(stores, count, *, center=OTHER_CENTER, referral_id="ref_1"):
    """Let a feed have sent so many deliveries for a referral that is not its own."""
    rows = [
        ParkedDelivery(
            delivery=Delivery(center_id=center.tenant_id, webhook_id=f"msg-{n}", body_hash="0", received_at=NOON),
            event=build_stage_change(Stage.INFUSED, NOON, event_id=f"evt_{n}", referral_id=referral_id),
            is_unknown_referral=True,
        )
        for n in range(count)
    ]
    for start in range(0, count, 100):
        part = rows[start : start + 100]
        stores.transactions.commit(*(stores.referrals.prepare_park(row) for row in part))


def refused(desk, **how):
    """What a delivery is told that finds no room."""
    with pytest.raises(RateLimitedError) as refusal:
        desk.deliver("accepted", **how)
    return refusal.value.code, refusal.value.detail, refusal.value.retry_after_s


def test_only_so_many_wait_for_one_referral(submitted_services, low_unknown_limit):
    """The fourth is refused, and nothing of it is kept."""
    for n in range(FEW):
        submitted_services.deliver("infused", webhook_id=f"msg-{n}", center=OTHER_CENTER)
    before = shelves.dump_tables()

    assert refused(submitted_services, webhook_id="msg-more", center=OTHER_CENTER)[0] == "too_many_waiting"
    assert shelves.dump_tables() == before


def test_a_foreign_referral_and_none_at_all_refuse_alike(submitted_services, low_unknown_limit):
    """The same words and the same pause: nothing tells that one of them exists."""
    answers = set()
    for referral_id in ("ref_1", "ref_nobodys"):
        for n in range(FEW):
            how = {"center": OTHER_CENTER, "webhook_id": f"{referral_id}-{n}"}
            submitted_services.deliver("infused", referral_id=referral_id, **how)
        answers.add(refused(submitted_services, referral_id=referral_id, center=OTHER_CENTER, webhook_id=referral_id))

    assert len(answers) == 1


def test_a_foreign_referral_and_none_at_all_take_the_same_calls(submitted_services):
    """Nor does the time that it takes, but for the account of how many there were."""
    taken = []
    for n, referral_id in enumerate(("ref_warm", "ref_1", "ref_nobodys")):
        how = {"center": OTHER_CENTER, "webhook_id": f"msg-{n}"}
        with faults.inject_faults(faults.plan_never) as calls:
            submitted_services.deliver("infused", referral_id=referral_id, **how)
        taken.append([name for name in calls.operations if name != "UpdateItem"])

    assert taken[1] == taken[2]


def test_one_that_waits_already_is_told_so_when_it_is_full(submitted_services, low_unknown_limit):
    """A repeat is no further one."""
    for n in range(FEW):
        submitted_services.deliver("infused", webhook_id=f"msg-{n}", center=OTHER_CENTER)

    assert submitted_services.deliver("infused", webhook_id="msg-0", center=OTHER_CENTER).status == "parked"


def test_a_full_row_of_strangers_is_of_their_center_alone(submitted_services, low_unknown_limit):
    """The referral's own center still sends, too early or not."""
    for n in range(FEW):
        submitted_services.deliver("infused", webhook_id=f"msg-{n}", center=OTHER_CENTER)

    assert submitted_services.deliver("infused", at=submitted_services.now + MINUTE).status == "parked"
    assert submitted_services.deliver("accepted").status == "applied"


def test_a_centers_own_deliveries_that_wait_are_as_few(submitted_services, low_unknown_limit):
    """They are read with every decision; what is not too early still applies."""
    for n in range(FEW):
        submitted_services.deliver("infused", webhook_id=f"msg-{n}", at=submitted_services.now + MINUTE)

    with pytest.raises(RateLimitedError):
        submitted_services.deliver("infused", webhook_id="msg-more", at=submitted_services.now + MINUTE)
    assert submitted_services.deliver("accepted").status == "applied"


def test_only_so_many_ids_are_tried_in_a_day(submitted_services, monkeypatch):
    """A search for ids of referrals ends after a few thousand, whatever they are."""
    monkeypatch.setattr(waiting, "UNKNOWN_REFERRALS_PER_CENTER", RateLimit(burst=2, per_second=1 / 43_200))
    for n in range(2):
        how = {"center": OTHER_CENTER, "webhook_id": f"msg-{n}"}
        submitted_services.deliver("accepted", referral_id=f"ref_try_{n}", **how)

    code, _, pause = refused(submitted_services, referral_id="ref_try_2", center=OTHER_CENTER)

    assert code == "too_many_waiting"
    assert pause > 3600
    assert submitted_services.deliver("infused", referral_id="ref_try_3").status == "parked"


def test_a_decision_does_not_read_what_strangers_sent(submitted_services):
    """Ten thousand of them would make no reader slower: none is in what is read."""
    park(submitted_services.stores, MAX_PARKED_PER_REFERRAL)

    referral, parked = submitted_services.stores.referrals.get_with_parked("ref_1")

    assert referral is not None
    assert parked == []
    assert len(submitted_services.list_events()) == 1


def test_counting_strangers_stops_at_the_limit(submitted_services):
    """However many an earlier release let in, counting reads no more than it has to."""
    park(submitted_services.stores, 30)

    count = submitted_services.stores.referrals.count_parked_for_unknown("ref_1", OTHER_CENTER.tenant_id, limit=7)

    assert count == 7


def test_what_came_before_the_submission_applies_after_it(services):
    """A person submits the draft; what the center's feed sent meanwhile follows at once."""
    services.refer(submit=False)
    services.now += MINUTE
    services.deliver("accepted", at=services.now + 2 * MINUTE)
    assert services.stores.referrals.count_parked_for_unknown("ref_1", CENTER.tenant_id, limit=9) == 1

    services.now += MINUTE
    services.report("submitted", member=build_member(PRACTICE))

    assert services.get_referral().stage is Stage.ACCEPTED
    assert services.stores.referrals.count_parked_for_unknown("ref_1", CENTER.tenant_id, limit=9) == 0


def test_what_came_before_the_referral_applies_with_the_relay(services):
    """It looks after each committed event, the submission among them."""
    services.deliver("accepted", at=NOON + 2 * MINUTE)
    services.refer()

    services.run_queue(TaskQueue.EVENT)

    assert services.get_referral().stage is Stage.ACCEPTED


def test_strangers_stay_strangers(submitted_services):
    """Whatever the own center reports and however often the relay looks, they never apply."""
    submitted_services.deliver("infused", center=OTHER_CENTER, at=NOON)

    submitted_services.move_to("received", "accepted")
    submitted_services.run_queue(TaskQueue.EVENT)

    assert submitted_services.get_referral().stage is Stage.ACCEPTED
    left = submitted_services.stores.referrals.count_parked_for_unknown("ref_1", OTHER_CENTER.tenant_id, limit=9)
    assert left == 1


def test_the_limit_leaves_room_for_a_whole_journey():
    """A sender that repeats a whole history early, out of order and under new ids, twice."""
    assert 2 * len(Stage) <= limits.MAX_PARKED_PER_REFERRAL
    assert replace(limits.UNKNOWN_REFERRALS_PER_CENTER).burst >= limits.MAX_PARKED_PER_REFERRAL
