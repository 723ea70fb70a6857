"""Deliveries that come too early: they wait, and apply when what was missing has come."""

from itertools import permutations

import pytest

from chalicelib.domain.notices.tasks import EXPIRE_PARKED_RULE, TaskQueue
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.referrals import report_event as journey
from chalicelib.store.platform.transactions import ConditionFailedError
from tests.support import faults
from tests.support import stores as store_tools
from tests.support.factories import NOON
from tests.support.faults import FaultMode
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION

LINE = [*STAGES_TO_LYMPHODEPLETION, "infused", "monitoring"]


def deliver_all(driver, order, line, referral_id="ref_1"):
    """Deliver steps of a line in some order; each was true a minute after the one before."""
    return [
        driver.deliver(
            line[n], at=NOON + (n + 1) * MINUTE, referral_id=referral_id, webhook_id=f"{referral_id}-{n}"
        ).status
        for n in order
    ]


def result(referral):
    """What an order of arrival must not change."""
    return (referral.stage, referral.stage_since, referral.stage_entered_at, referral.window)


def statuses():
    """What the log of deliveries says."""
    return {row["status"] for row in store_tools.list_rows("deliveries")}


def test_three_deliveries_end_alike_in_every_order(services):
    """All six orders: the last stage, the whole history, nothing waiting, one row each."""
    line = ["accepted", "consult_scheduled", "consult_completed"]
    ends = set()
    for n, order in enumerate(permutations(range(3))):
        services.refer(f"ref_{n}", key=f"key-{n}")
        deliver_all(services, order, line, referral_id=f"ref_{n}")
        ends.add(
            (
                services.get_referral(f"ref_{n}").stage,
                tuple(event.event.stage for event in services.list_events(f"ref_{n}")),
                tuple(services.list_parked_stages(f"ref_{n}")),
            )
        )

    assert ends == {("consult_completed", ("submitted", *line), ())}
    assert statuses() <= {"applied", "recorded"}
    assert len(store_tools.list_rows("deliveries")) == 6 * 3


def mixed_up(stride):
    """The steps of the line in another order: every stride-th, round and round."""
    return sorted(range(len(LINE)), key=lambda n: (n + 1) * stride % (len(LINE) + 1))


def test_a_whole_line_ends_alike_in_any_order(services):
    """From submission to monitoring, mixed up in three ways, against the same in its order."""
    steps = range(len(LINE))
    services.refer("ref_1")
    deliver_all(services, steps, LINE)
    in_order = result(services.get_referral())
    for stride in (3, 5, 7):
        name = f"ref_{stride}"
        services.refer(name, key=name)
        order = mixed_up(stride)

        deliver_all(services, order, LINE, referral_id=name)

        assert order != list(steps)
        assert result(services.get_referral(name)) == in_order
        assert [event.event.stage for event in services.list_events(name)] == ["submitted", *LINE]
        assert services.list_parked_stages(name) == []


def test_backwards_only_the_first_is_applied_at_once(services):
    """The others wait, all of them, and follow when the first comes."""
    services.refer()

    answers = deliver_all(services, reversed(range(len(LINE))), LINE)

    assert answers == ["parked"] * (len(LINE) - 1) + ["applied"]
    assert services.get_referral().stage is Stage.MONITORING
    assert services.list_parked_stages() == []
    assert statuses() == {"applied"}


def test_what_waits_changes_nothing(submitted_services):
    """No move, no history, nobody is told; the log and the audit know of it."""
    before = store_tools.list_task_rows()

    outcome = submitted_services.deliver("infused")

    assert (outcome.status, outcome.stage) == ("parked", None)
    assert submitted_services.get_referral().version == 1
    assert len(submitted_services.list_events()) == 1
    (planned,) = [row for row in store_tools.list_task_rows() if row not in before]
    assert planned["rule"] == EXPIRE_PARKED_RULE
    assert statuses() == {"parked"}
    assert "parked" in {row["outcome"] for row in store_tools.list_rows("audit")}


def test_a_parked_delivery_again_is_parked(submitted_services):
    """Said again as it was answered; it waits once."""
    first = submitted_services.deliver("infused", webhook_id="msg-1")

    assert submitted_services.deliver("infused", webhook_id="msg-1") == first
    assert submitted_services.list_parked_stages() == ["infused"]


def test_a_parked_delivery_again_after_it_was_settled_is_a_duplicate(submitted_services):
    """The sender that asks once more hears what became of it."""
    submitted_services.deliver("consult_scheduled", webhook_id="msg-1", at=submitted_services.now + MINUTE)
    submitted_services.deliver("accepted")

    again = submitted_services.deliver("consult_scheduled", webhook_id="msg-1", at=submitted_services.now + MINUTE)

    assert (again.status, again.stage) == ("duplicate", "consult_scheduled")


def test_what_can_no_longer_be_legal_is_refused_when_it_is_settled(submitted_services):
    """The referral ended while it waited: listed as refused, and it waits no more."""
    submitted_services.deliver("consult_scheduled", at=submitted_services.now + 2 * MINUTE)
    submitted_services.deliver("declined", at=submitted_services.now + MINUTE)

    assert submitted_services.get_referral().stage is Stage.DECLINED
    assert submitted_services.list_parked_stages() == []
    (row,) = [row for row in store_tools.list_rows("deliveries") if row["status"] == "refused"]
    assert row["code"] == "referral_closed"


def test_what_was_overtaken_is_recorded_when_it_is_settled(submitted_services):
    """A death is known before the infusion that it came after."""
    submitted_services.deliver("consult_scheduled", at=submitted_services.now + MINUTE)
    submitted_services.deliver("deceased", at=submitted_services.now + 2 * MINUTE)

    assert submitted_services.get_referral().stage is Stage.DECEASED
    assert submitted_services.list_parked_stages() == []
    assert [e.status.value for e in submitted_services.list_events()] == ["applied", "recorded", "applied"]


def test_a_delivery_for_a_referral_that_is_not_there_waits_for_it(services):
    """The relay, which looks after what was committed, settles it."""
    services.deliver("received", at=NOON + MINUTE)
    services.refer()
    assert services.get_referral().stage is Stage.SUBMITTED

    services.run_queue(TaskQueue.EVENT)

    assert services.get_referral().stage is Stage.RECEIVED
    assert services.list_parked_stages() == []


def test_what_was_missing_cannot_slip_in_between_reading_and_parking(submitted_services):
    """The race: read, then the missing one comes, then park. Parked, it would wait for ever."""
    other = submitted_services.restart()
    slips_in = faults.plan_interruption("TransactWriteItems", lambda: other.deliver("accepted"))

    with faults.inject_faults(slips_in):
        outcome = submitted_services.deliver("consult_scheduled", at=submitted_services.now + MINUTE)

    assert outcome.status == "applied"
    assert submitted_services.get_referral().stage is Stage.CONSULT_SCHEDULED
    assert submitted_services.list_parked_stages() == []


def test_a_referral_cannot_slip_in_between_reading_and_parking(services):
    """The same race with the creation of the referral itself."""
    other = services.restart()

    with faults.inject_faults(faults.plan_interruption("TransactWriteItems", other.refer)):
        outcome = services.deliver("received", at=NOON + MINUTE)

    assert outcome.status == "applied"
    assert services.get_referral().stage is Stage.RECEIVED


def test_a_parking_over_a_moved_referral_is_refused(submitted_services):
    """What the race above leans on, by itself."""
    stale = submitted_services.get_referral()
    submitted_services.deliver("received")

    with pytest.raises(ConditionFailedError) as refusal:
        submitted_services.stores.transactions.commit(
            submitted_services.stores.referrals.prepare_check_unchanged("ref_1", stale)
        )

    assert set(refusal.value.items) == {"referral"}


@pytest.mark.parametrize("mode", [FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER])
def test_a_crash_between_commit_and_settling_is_made_good_by_the_relay(submitted_services, mode):
    """The function dies after it moved the referral, before or in the first settling."""
    submitted_services.deliver("consult_scheduled", at=submitted_services.now + MINUTE)
    second = faults.plan_nth_fault("TransactWriteItems", 2, mode)

    with faults.inject_faults(second), pytest.raises(faults.SimulatedCrash):
        submitted_services.restart().deliver("accepted")
    stuck = submitted_services.get_referral().stage
    submitted_services.restart().run_queue(TaskQueue.EVENT)

    died_after = mode is FaultMode.CRASH_AFTER
    assert stuck is (Stage.CONSULT_SCHEDULED if died_after else Stage.ACCEPTED)
    assert submitted_services.get_referral().stage is Stage.CONSULT_SCHEDULED
    assert submitted_services.list_parked_stages() == []
    assert len(submitted_services.list_events()) == 3


def test_settling_twice_at_once_settles_once(submitted_services):
    """Two relays look at the same waiting delivery; its row lets only one through."""
    submitted_services.deliver("consult_scheduled", at=submitted_services.now + MINUTE)
    second = faults.plan_nth_fault("TransactWriteItems", 2, FaultMode.CRASH_BEFORE)
    with faults.inject_faults(second), pytest.raises(faults.SimulatedCrash):
        submitted_services.deliver("accepted")
    other, theirs = submitted_services.restart(), []

    def settle():
        theirs.append(journey.apply_parked("ref_1", context=other.context))

    with faults.inject_faults(faults.plan_interruption("TransactWriteItems", settle)):
        mine = journey.apply_parked("ref_1", context=submitted_services.context)

    assert [mine, *theirs] == [0, 1]
    assert len(submitted_services.list_events()) == 3
    assert submitted_services.get_referral().version == 3


def test_settling_nothing_is_two_reads(submitted_services):
    """The relay may call it for every event: what waits, and what came before the referral."""
    warm = submitted_services
    warm.get_referral()

    with faults.inject_faults(faults.plan_never) as calls:
        settled = journey.apply_parked("ref_1", context=warm.context)

    assert settled == 0
    assert calls.operations == ["Query", "Query"]


def test_what_can_never_be_settled_does_not_hold_up_a_job(submitted_services):
    """A restore brought back a waiting delivery whose receipt says that it was settled."""
    submitted_services.deliver("consult_scheduled", webhook_id="msg-1", at=submitted_services.now + MINUTE)
    _, (waiting,) = submitted_services.stores.referrals.get_with_parked("ref_1")
    submitted_services.deliver("accepted")
    submitted_services.stores.transactions.commit(submitted_services.stores.referrals.prepare_park(waiting))

    counts = submitted_services.run_queue(TaskQueue.EVENT)

    assert counts["failed"] == 0
    assert counts["done"] == 3
    assert len(submitted_services.list_events()) == 3
    assert submitted_services.list_parked_stages() == ["consult_scheduled"]
