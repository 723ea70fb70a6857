"""Parked deliveries: they wait for an earlier event and apply when it arrives."""

from itertools import permutations

import pytest

from chalicelib.domain.notices.tasks import EXPIRE_PARKED_RULE, TaskQueue
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.referrals.apply_parked import apply_parked
from chalicelib.store.platform.transactions import ConditionFailedError
from tests.support import faults
from tests.support.factories import NOON
from tests.support.faults import FaultMode
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION
from tests.support.stores import list_rows, list_task_rows

MAIN_PATH = [*STAGES_TO_LYMPHODEPLETION, "infused", "monitoring"]


def deliver_all(services, order, stages, referral_id="ref_1"):
    """Deliver stages in some order. Each one happened a minute after the one before."""
    return [
        services.deliver(
            stages[n], at=NOON + (n + 1) * MINUTE, referral_id=referral_id, webhook_id=f"{referral_id}-{n}"
        ).status
        for n in order
    ]


def get_state(referral):
    """What the order of arrival must not change."""
    return (referral.stage, referral.stage_since, referral.stage_entered_at, referral.window)


def list_statuses():
    """The statuses in the log of deliveries."""
    return {row["status"] for row in list_rows("deliveries")}


def test_three_deliveries_have_the_same_result_in_every_order(services):
    """In all six orders: the last stage, the complete history, nothing parked, and one log row each."""
    stages = ["accepted", "consult_scheduled", "consult_completed"]
    results = set()
    for n, order in enumerate(permutations(range(3))):
        services.refer(f"ref_{n}", key=f"key-{n}")
        deliver_all(services, order, stages, referral_id=f"ref_{n}")
        results.add(
            (
                services.get_referral(f"ref_{n}").stage,
                tuple(event.event.stage for event in services.list_events(f"ref_{n}")),
                tuple(services.list_parked_stages(f"ref_{n}")),
            )
        )

    assert results == {("consult_completed", ("submitted", *stages), ())}
    assert list_statuses() <= {"applied", "recorded"}
    assert len(list_rows("deliveries")) == 6 * 3


def shuffle_path(stride):
    """The positions of the main path in another order: every stride-th one, again and again."""
    return sorted(range(len(MAIN_PATH)), key=lambda n: (n + 1) * stride % (len(MAIN_PATH) + 1))


def test_the_main_path_has_the_same_result_in_any_order(services):
    """From submission to monitoring, in three other orders, compared with the right order."""
    positions = range(len(MAIN_PATH))
    services.refer("ref_1")
    deliver_all(services, positions, MAIN_PATH)
    in_order = get_state(services.get_referral())
    for stride in (3, 5, 7):
        name = f"ref_{stride}"
        services.refer(name, key=name)
        order = shuffle_path(stride)

        deliver_all(services, order, MAIN_PATH, referral_id=name)

        assert order != list(positions)
        assert get_state(services.get_referral(name)) == in_order
        assert [event.event.stage for event in services.list_events(name)] == ["submitted", *MAIN_PATH]
        assert services.list_parked_stages(name) == []


def test_in_reverse_order_all_deliveries_but_the_last_are_parked(services):
    """They are applied when the last one arrives, which is the first event."""
    services.refer()

    statuses = deliver_all(services, reversed(range(len(MAIN_PATH))), MAIN_PATH)

    assert statuses == ["parked"] * (len(MAIN_PATH) - 1) + ["applied"]
    assert services.get_referral().stage is Stage.MONITORING
    assert services.list_parked_stages() == []
    assert list_statuses() == {"applied"}


def test_a_parked_delivery_changes_nothing(submitted_services):
    """No stage change, no history, no notice. The log and the audit trail have it."""
    before = list_task_rows()

    outcome = submitted_services.deliver("infused")

    assert (outcome.status, outcome.stage) == ("parked", None)
    assert submitted_services.get_referral().version == 1
    assert len(submitted_services.list_events()) == 1
    (planned,) = [row for row in list_task_rows() if row not in before]
    assert planned["rule"] == EXPIRE_PARKED_RULE
    assert list_statuses() == {"parked"}
    assert "parked" in {row["outcome"] for row in list_rows("audit")}


def test_a_repeat_of_a_parked_delivery_gets_the_same_response(submitted_services):
    """It is parked only once."""
    first = submitted_services.deliver("infused", webhook_id="msg-1")

    assert submitted_services.deliver("infused", webhook_id="msg-1") == first
    assert submitted_services.list_parked_stages() == ["infused"]


def test_a_repeat_of_a_parked_delivery_that_was_applied_is_a_duplicate(submitted_services):
    """The sender learns the result."""
    submitted_services.deliver("consult_scheduled", webhook_id="msg-1", at=submitted_services.now + MINUTE)
    submitted_services.deliver("accepted")

    again = submitted_services.deliver("consult_scheduled", webhook_id="msg-1", at=submitted_services.now + MINUTE)

    assert (again.status, again.stage) == ("duplicate", "consult_scheduled")


def test_a_parked_delivery_is_refused_when_the_referral_has_ended(submitted_services):
    """The log has it as refused, and it is no longer parked."""
    submitted_services.deliver("consult_scheduled", at=submitted_services.now + 2 * MINUTE)
    submitted_services.deliver("declined", at=submitted_services.now + MINUTE)

    assert submitted_services.get_referral().stage is Stage.DECLINED
    assert submitted_services.list_parked_stages() == []
    (row,) = [row for row in list_rows("deliveries") if row["status"] == "refused"]
    assert row["code"] == "referral_closed"


def test_a_parked_delivery_that_is_a_late_event_is_recorded_in_the_history(submitted_services):
    """A death is reported before the consultation that was earlier."""
    submitted_services.deliver("consult_scheduled", at=submitted_services.now + MINUTE)
    submitted_services.deliver("deceased", at=submitted_services.now + 2 * MINUTE)

    assert submitted_services.get_referral().stage is Stage.DECEASED
    assert submitted_services.list_parked_stages() == []
    assert [e.status.value for e in submitted_services.list_events()] == ["applied", "recorded", "applied"]


def test_a_delivery_for_a_missing_referral_is_parked_until_it_exists(services):
    """The relay, which processes what was committed, applies it."""
    services.deliver("received", at=NOON + MINUTE)
    services.refer()
    assert services.get_referral().stage is Stage.SUBMITTED

    services.run_queue(TaskQueue.EVENT)

    assert services.get_referral().stage is Stage.RECEIVED
    assert services.list_parked_stages() == []


def test_the_missing_event_between_the_read_and_the_write_is_not_lost(submitted_services):
    """Otherwise the delivery would be parked and wait forever."""
    other = submitted_services.restart()
    interruption = faults.plan_interruption("TransactWriteItems", lambda: other.deliver("accepted"))

    with faults.inject_faults(interruption):
        outcome = submitted_services.deliver("consult_scheduled", at=submitted_services.now + MINUTE)

    assert outcome.status == "applied"
    assert submitted_services.get_referral().stage is Stage.CONSULT_SCHEDULED
    assert submitted_services.list_parked_stages() == []


def test_a_referral_created_between_the_read_and_the_write_is_not_missed(services):
    """The same race with the creation of the referral."""
    other = services.restart()

    with faults.inject_faults(faults.plan_interruption("TransactWriteItems", other.refer)):
        outcome = services.deliver("received", at=NOON + MINUTE)

    assert outcome.status == "applied"
    assert services.get_referral().stage is Stage.RECEIVED


def test_a_commit_with_a_stale_referral_is_refused(submitted_services):
    """The conditional check on which the races above depend."""
    stale = submitted_services.get_referral()
    submitted_services.deliver("received")

    with pytest.raises(ConditionFailedError) as error:
        submitted_services.stores.transactions.commit(
            submitted_services.stores.referrals.prepare_check_unchanged("ref_1", stale)
        )

    assert set(error.value.items) == {"referral"}


@pytest.mark.parametrize("mode", [FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER])
def test_after_a_crash_the_relay_applies_parked_deliveries(submitted_services, mode):
    """The function crashes after it changed the referral, before or in the first application of a parked delivery."""
    submitted_services.deliver("consult_scheduled", at=submitted_services.now + MINUTE)
    crash = faults.plan_nth_fault("TransactWriteItems", 2, mode)

    with faults.inject_faults(crash), pytest.raises(faults.SimulatedCrash):
        submitted_services.restart().deliver("accepted")
    stuck = submitted_services.get_referral().stage
    submitted_services.restart().run_queue(TaskQueue.EVENT)

    crashed_after = mode is FaultMode.CRASH_AFTER
    assert stuck is (Stage.CONSULT_SCHEDULED if crashed_after else Stage.ACCEPTED)
    assert submitted_services.get_referral().stage is Stage.CONSULT_SCHEDULED
    assert submitted_services.list_parked_stages() == []
    assert len(submitted_services.list_events()) == 3


def test_a_parked_delivery_is_applied_once_by_two_runs(submitted_services):
    """Two relays read the same parked delivery. Its row allows only one of them."""
    submitted_services.deliver("consult_scheduled", at=submitted_services.now + MINUTE)
    crash = faults.plan_nth_fault("TransactWriteItems", 2, FaultMode.CRASH_BEFORE)
    with faults.inject_faults(crash), pytest.raises(faults.SimulatedCrash):
        submitted_services.deliver("accepted")
    other, other_counts = submitted_services.restart(), []

    def apply_in_between():
        other_counts.append(apply_parked("ref_1", context=other.context))

    with faults.inject_faults(faults.plan_interruption("TransactWriteItems", apply_in_between)):
        count = apply_parked("ref_1", context=submitted_services.context)

    assert [count, *other_counts] == [0, 1]
    assert len(submitted_services.list_events()) == 3
    assert submitted_services.get_referral().version == 3


def test_applying_no_parked_delivery_costs_two_reads(submitted_services):
    """The relay can call it for every event. One read is for deliveries from before the referral was known."""
    warm = submitted_services
    warm.get_referral()

    with faults.inject_faults(faults.plan_never) as calls:
        applied = apply_parked("ref_1", context=warm.context)

    assert applied == 0
    assert calls.operations == ["Query", "Query"]


def test_a_delivery_that_can_never_be_applied_does_not_delay_a_job(submitted_services):
    """A restore brought back a parked delivery whose log row shows that it was applied."""
    submitted_services.deliver("consult_scheduled", webhook_id="msg-1", at=submitted_services.now + MINUTE)
    _, (parked,) = submitted_services.stores.referrals.get_with_parked("ref_1")
    submitted_services.deliver("accepted")
    submitted_services.stores.transactions.commit(submitted_services.stores.referrals.prepare_park(parked))

    counts = submitted_services.run_queue(TaskQueue.EVENT)

    assert counts["failed"] == 0
    assert counts["done"] == 3
    assert len(submitted_services.list_events()) == 3
    assert submitted_services.list_parked_stages() == ["consult_scheduled"]
