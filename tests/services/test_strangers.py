"""Deliveries for referrals that are not their center's: few, apart, and told alike."""

from dataclasses import replace

import pytest

from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.platform import rate_limit as limits
from chalicelib.domain.platform.rate_limit import PARKED_PER_REFERRAL, Limit
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import TooManyError
from chalicelib.services.referrals import parking as waiting
from chalicelib.store.referrals.items import Parked
from chalicelib.store.webhooks.idempotency import Delivery
from tests.support import faults, shelves
from tests.support.desk import MINUTE
from tests.support.factories import CENTER, NOON, OTHER_CENTER, PRACTICE, a_member
from tests.support.journey import a_change

FEW = 3


@pytest.fixture
def few(monkeypatch):
    """Room for three."""
    monkeypatch.setattr(waiting, "PARKED_PER_REFERRAL", FEW)


def park(stores, count, *, center=OTHER_CENTER, referral_id="ref_1"):
    """Let a feed have sent so many deliveries for a referral that is not its own."""
    rows = [
        Parked(
            delivery=Delivery(
                center_id=center.tenant_id,
                webhook_id=f"msg-{n}",
                body_hash="0",
                received_at=NOON,
            ),
            event=a_change(Stage.INFUSED, NOON, event_id=f"evt_{n}", referral_id=referral_id),
            stranger=True,
        )
        for n in range(count)
    ]
    for start in range(0, count, 100):
        part = rows[start : start + 100]
        stores.ledger.commit(*(stores.referrals.parking(row) for row in part))


def refused(desk, **how):
    """What a delivery is told that finds no room."""
    with pytest.raises(TooManyError) as refusal:
        desk.deliver("accepted", **how)
    return refusal.value.code, refusal.value.detail, refusal.value.retry_after_s


def test_only_so_many_wait_for_one_referral(referred, few):
    """The fourth is refused, and nothing of it is kept."""
    for n in range(FEW):
        referred.deliver("infused", webhook_id=f"msg-{n}", center=OTHER_CENTER)
    before = shelves.dump()

    assert refused(referred, webhook_id="msg-more", center=OTHER_CENTER)[0] == "too_many_waiting"
    assert shelves.dump() == before


def test_a_foreign_referral_and_none_at_all_refuse_alike(referred, few):
    """The same words and the same pause: nothing tells that one of them exists."""
    answers = set()
    for referral_id in ("ref_1", "ref_nobodys"):
        for n in range(FEW):
            how = {"center": OTHER_CENTER, "webhook_id": f"{referral_id}-{n}"}
            referred.deliver("infused", referral_id=referral_id, **how)
        answers.add(
            refused(referred, referral_id=referral_id, center=OTHER_CENTER, webhook_id=referral_id)
        )

    assert len(answers) == 1


def test_a_foreign_referral_and_none_at_all_take_the_same_calls(referred):
    """Nor does the time that it takes, but for the account of how many there were."""
    taken = []
    for n, referral_id in enumerate(("ref_warm", "ref_1", "ref_nobodys")):
        how = {"center": OTHER_CENTER, "webhook_id": f"msg-{n}"}
        with faults.injected(faults.never) as calls:
            referred.deliver("infused", referral_id=referral_id, **how)
        taken.append([name for name in calls.operations if name != "UpdateItem"])

    assert taken[1] == taken[2]


def test_one_that_waits_already_is_told_so_when_it_is_full(referred, few):
    """A repeat is no further one."""
    for n in range(FEW):
        referred.deliver("infused", webhook_id=f"msg-{n}", center=OTHER_CENTER)

    assert referred.deliver("infused", webhook_id="msg-0", center=OTHER_CENTER).status == "parked"


def test_a_full_row_of_strangers_is_of_their_center_alone(referred, few):
    """The referral's own center still sends, too early or not."""
    for n in range(FEW):
        referred.deliver("infused", webhook_id=f"msg-{n}", center=OTHER_CENTER)

    assert referred.deliver("infused", at=referred.now + MINUTE).status == "parked"
    assert referred.deliver("accepted").status == "applied"


def test_a_centers_own_deliveries_that_wait_are_as_few(referred, few):
    """They are read with every decision; what is not too early still applies."""
    for n in range(FEW):
        referred.deliver("infused", webhook_id=f"msg-{n}", at=referred.now + MINUTE)

    with pytest.raises(TooManyError):
        referred.deliver("infused", webhook_id="msg-more", at=referred.now + MINUTE)
    assert referred.deliver("accepted").status == "applied"


def test_only_so_many_ids_are_tried_in_a_day(referred, monkeypatch):
    """A search for ids of referrals ends after a few thousand, whatever they are."""
    monkeypatch.setattr(waiting, "STRANGERS_PER_CENTER", Limit(burst=2, per_second=1 / 43_200))
    for n in range(2):
        how = {"center": OTHER_CENTER, "webhook_id": f"msg-{n}"}
        referred.deliver("accepted", referral_id=f"ref_try_{n}", **how)

    code, _, pause = refused(referred, referral_id="ref_try_2", center=OTHER_CENTER)

    assert code == "too_many_waiting"
    assert pause > 3600
    assert referred.deliver("infused", referral_id="ref_try_3").status == "parked"


def test_a_decision_does_not_read_what_strangers_sent(referred):
    """Ten thousand of them would make no reader slower: none is in what is read."""
    park(referred.stores, PARKED_PER_REFERRAL)

    referral, parked = referred.stores.referrals.get_with_parked("ref_1")

    assert referral is not None
    assert parked == []
    assert len(referred.events()) == 1


def test_counting_strangers_stops_at_the_limit(referred):
    """However many an earlier release let in, counting reads no more than it has to."""
    park(referred.stores, 30)

    count = referred.stores.referrals.count_strangers("ref_1", OTHER_CENTER.tenant_id, most=7)

    assert count == 7


def test_what_came_before_the_submission_applies_after_it(desk):
    """A person submits the draft; what the center's feed sent meanwhile follows at once."""
    desk.refer(submit=False)
    desk.now += MINUTE
    desk.deliver("accepted", at=desk.now + 2 * MINUTE)
    assert desk.stores.referrals.count_strangers("ref_1", CENTER.tenant_id, most=9) == 1

    desk.now += MINUTE
    desk.report("submitted", member=a_member(PRACTICE))

    assert desk.referral().stage is Stage.ACCEPTED
    assert desk.stores.referrals.count_strangers("ref_1", CENTER.tenant_id, most=9) == 0


def test_what_came_before_the_referral_applies_with_the_relay(desk):
    """It looks after each committed event, the submission among them."""
    desk.deliver("accepted", at=NOON + 2 * MINUTE)
    desk.refer()

    desk.work_off(Lane.EVENT)

    assert desk.referral().stage is Stage.ACCEPTED


def test_strangers_stay_strangers(referred):
    """Whatever the own center reports and however often the relay looks, they never apply."""
    referred.deliver("infused", center=OTHER_CENTER, at=NOON)

    referred.move_to("received", "accepted")
    referred.work_off(Lane.EVENT)

    assert referred.referral().stage is Stage.ACCEPTED
    left = referred.stores.referrals.count_strangers("ref_1", OTHER_CENTER.tenant_id, most=9)
    assert left == 1


def test_the_limit_leaves_room_for_a_whole_journey():
    """A sender that repeats a whole history early, out of order and under new ids, twice."""
    assert 2 * len(Stage) <= limits.PARKED_PER_REFERRAL
    assert replace(limits.STRANGERS_PER_CENTER).burst >= limits.PARKED_PER_REFERRAL
