"""Deliveries that come too early: they wait, and apply when what was missing has come."""

from itertools import permutations

import pytest

from chalicelib.domain.notices.notice_rules import GIVE_UP, Lane
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.referrals import report_event as journey
from chalicelib.store.platform.transactions import ConditionFailed
from tests.support import faults, shelves
from tests.support.desk import MINUTE, TO_CONDITIONED
from tests.support.factories import NOON
from tests.support.faults import Mode

LINE = [*TO_CONDITIONED, "infused", "monitoring"]


def deliver_all(desk, order, line, referral_id="ref_1"):
    """Deliver steps of a line in some order; each was true a minute after the one before."""
    return [
        desk.deliver(
            line[n],
            at=NOON + (n + 1) * MINUTE,
            referral_id=referral_id,
            webhook_id=f"{referral_id}-{n}",
        ).status
        for n in order
    ]


def told(referral):
    """What an order of arrival must not change."""
    return (referral.stage, referral.stage_since, referral.reached, referral.window)


def statuses():
    """What the log of deliveries says."""
    return {row["status"] for row in shelves.rows("deliveries")}


def test_three_deliveries_end_alike_in_every_order(desk):
    """All six orders: the last stage, the whole history, nothing waiting, one row each."""
    line = ["accepted", "consult_scheduled", "consult_completed"]
    ends = set()
    for n, order in enumerate(permutations(range(3))):
        desk.refer(f"ref_{n}", key=f"key-{n}")
        deliver_all(desk, order, line, referral_id=f"ref_{n}")
        ends.add(
            (
                desk.referral(f"ref_{n}").stage,
                tuple(event.event.stage for event in desk.events(f"ref_{n}")),
                tuple(desk.waiting(f"ref_{n}")),
            )
        )

    assert ends == {("consult_completed", ("submitted", *line), ())}
    assert statuses() <= {"applied", "recorded"}
    assert len(shelves.rows("deliveries")) == 6 * 3


def mixed_up(stride):
    """The steps of the line in another order: every stride-th, round and round."""
    return sorted(range(len(LINE)), key=lambda n: (n + 1) * stride % (len(LINE) + 1))


def test_a_whole_line_ends_alike_in_any_order(desk):
    """From submission to monitoring, mixed up in three ways, against the same in its order."""
    steps = range(len(LINE))
    desk.refer("ref_1")
    deliver_all(desk, steps, LINE)
    in_order = told(desk.referral())
    for stride in (3, 5, 7):
        name = f"ref_{stride}"
        desk.refer(name, key=name)
        order = mixed_up(stride)

        deliver_all(desk, order, LINE, referral_id=name)

        assert order != list(steps)
        assert told(desk.referral(name)) == in_order
        assert [event.event.stage for event in desk.events(name)] == ["submitted", *LINE]
        assert desk.waiting(name) == []


def test_backwards_only_the_first_is_applied_at_once(desk):
    """The others wait, all of them, and follow when the first comes."""
    desk.refer()

    answers = deliver_all(desk, reversed(range(len(LINE))), LINE)

    assert answers == ["parked"] * (len(LINE) - 1) + ["applied"]
    assert desk.referral().stage is Stage.MONITORING
    assert desk.waiting() == []
    assert statuses() == {"applied"}


def test_what_waits_changes_nothing(referred):
    """No move, no history, nobody is told; the log and the audit know of it."""
    before = shelves.tasks()

    outcome = referred.deliver("infused")

    assert (outcome.status, outcome.stage) == ("parked", None)
    assert referred.referral().version == 1
    assert len(referred.events()) == 1
    (planned,) = [row for row in shelves.tasks() if row not in before]
    assert planned["rule"] == GIVE_UP
    assert statuses() == {"parked"}
    assert "parked" in {row["outcome"] for row in shelves.rows("audit")}


def test_a_parked_delivery_again_is_parked(referred):
    """Said again as it was answered; it waits once."""
    first = referred.deliver("infused", webhook_id="msg-1")

    assert referred.deliver("infused", webhook_id="msg-1") == first
    assert referred.waiting() == ["infused"]


def test_a_parked_delivery_again_after_it_was_settled_is_a_duplicate(referred):
    """The sender that asks once more hears what became of it."""
    referred.deliver("consult_scheduled", webhook_id="msg-1", at=referred.now + MINUTE)
    referred.deliver("accepted")

    again = referred.deliver("consult_scheduled", webhook_id="msg-1", at=referred.now + MINUTE)

    assert (again.status, again.stage) == ("duplicate", "consult_scheduled")


def test_what_can_no_longer_be_legal_is_refused_when_it_is_settled(referred):
    """The referral ended while it waited: listed as refused, and it waits no more."""
    referred.deliver("consult_scheduled", at=referred.now + 2 * MINUTE)
    referred.deliver("declined", at=referred.now + MINUTE)

    assert referred.referral().stage is Stage.DECLINED
    assert referred.waiting() == []
    (row,) = [row for row in shelves.rows("deliveries") if row["status"] == "refused"]
    assert row["code"] == "referral_closed"


def test_what_was_overtaken_is_recorded_when_it_is_settled(referred):
    """A death is known before the infusion that it came after."""
    referred.deliver("consult_scheduled", at=referred.now + MINUTE)
    referred.deliver("deceased", at=referred.now + 2 * MINUTE)

    assert referred.referral().stage is Stage.DECEASED
    assert referred.waiting() == []
    assert [e.status.value for e in referred.events()] == ["applied", "recorded", "applied"]


def test_a_delivery_for_a_referral_that_is_not_there_waits_for_it(desk):
    """The relay, which looks after what was committed, settles it."""
    desk.deliver("received", at=NOON + MINUTE)
    desk.refer()
    assert desk.referral().stage is Stage.SUBMITTED

    desk.work_off(Lane.EVENT)

    assert desk.referral().stage is Stage.RECEIVED
    assert desk.waiting() == []


def test_what_was_missing_cannot_slip_in_between_reading_and_parking(referred):
    """The race: read, then the missing one comes, then park. Parked, it would wait for ever."""
    other = referred.anew()
    slips_in = faults.meanwhile("TransactWriteItems", lambda: other.deliver("accepted"))

    with faults.injected(slips_in):
        outcome = referred.deliver("consult_scheduled", at=referred.now + MINUTE)

    assert outcome.status == "applied"
    assert referred.referral().stage is Stage.CONSULT_SCHEDULED
    assert referred.waiting() == []


def test_a_referral_cannot_slip_in_between_reading_and_parking(desk):
    """The same race with the creation of the referral itself."""
    other = desk.anew()

    with faults.injected(faults.meanwhile("TransactWriteItems", other.refer)):
        outcome = desk.deliver("received", at=NOON + MINUTE)

    assert outcome.status == "applied"
    assert desk.referral().stage is Stage.RECEIVED


def test_a_parking_over_a_moved_referral_is_refused(referred):
    """What the race above leans on, by itself."""
    stale = referred.referral()
    referred.deliver("received")

    with pytest.raises(ConditionFailed) as refusal:
        referred.stores.ledger.commit(referred.stores.referrals.unchanged("ref_1", stale))

    assert set(refusal.value.items) == {"referral"}


@pytest.mark.parametrize("mode", [Mode.CRASH_BEFORE, Mode.CRASH_AFTER])
def test_a_crash_between_commit_and_settling_is_made_good_by_the_relay(referred, mode):
    """The function dies after it moved the referral, before or in the first settling."""
    referred.deliver("consult_scheduled", at=referred.now + MINUTE)
    second = faults.nth("TransactWriteItems", 2, mode)

    with faults.injected(second), pytest.raises(faults.Crash):
        referred.anew().deliver("accepted")
    stuck = referred.referral().stage
    referred.anew().work_off(Lane.EVENT)

    died_after = mode is Mode.CRASH_AFTER
    assert stuck is (Stage.CONSULT_SCHEDULED if died_after else Stage.ACCEPTED)
    assert referred.referral().stage is Stage.CONSULT_SCHEDULED
    assert referred.waiting() == []
    assert len(referred.events()) == 3


def test_settling_twice_at_once_settles_once(referred):
    """Two relays look at the same waiting delivery; its row lets only one through."""
    referred.deliver("consult_scheduled", at=referred.now + MINUTE)
    second = faults.nth("TransactWriteItems", 2, Mode.CRASH_BEFORE)
    with faults.injected(second), pytest.raises(faults.Crash):
        referred.deliver("accepted")
    other, theirs = referred.anew(), []

    def settle():
        theirs.append(journey.settle("ref_1", stores=other.stores, now=other.now))

    with faults.injected(faults.meanwhile("TransactWriteItems", settle)):
        mine = journey.settle("ref_1", stores=referred.stores, now=referred.now)

    assert [mine, *theirs] == [0, 1]
    assert len(referred.events()) == 3
    assert referred.referral().version == 3


def test_settling_nothing_is_two_reads(referred):
    """The relay may call it for every event: what waits, and what came before the referral."""
    warm = referred
    warm.referral()

    with faults.injected(faults.never) as calls:
        settled = journey.settle("ref_1", stores=warm.stores, now=warm.now)

    assert settled == 0
    assert calls.operations == ["Query", "Query"]


def test_what_can_never_be_settled_does_not_hold_up_a_job(referred):
    """A restore brought back a waiting delivery whose receipt says that it was settled."""
    referred.deliver("consult_scheduled", webhook_id="msg-1", at=referred.now + MINUTE)
    _, (waiting,) = referred.stores.referrals.get_with_parked("ref_1")
    referred.deliver("accepted")
    referred.stores.ledger.commit(referred.stores.referrals.parking(waiting))

    counts = referred.work_off(Lane.EVENT)

    assert counts["failed"] == 0
    assert counts["done"] == 3
    assert len(referred.events()) == 3
    assert referred.waiting() == ["consult_scheduled"]
