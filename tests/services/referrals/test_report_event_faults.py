"""Inject each fault at each AWS call of a submission and of a delivery, then repeat the request.

Whatever failed, the result in the end must be the same: the submission or delivery happened once.
"""

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.services.referrals.apply_parked import apply_parked
from tests.support import faults
from tests.support.broken_variants import deliver_unsafely
from tests.support.faults import FaultMode
from tests.support.invariants import TableSnapshot
from tests.support.service_driver import MINUTE

SINGLE_FAULTS = (FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER, FaultMode.LOST_REPLY)


def count_calls(flow):
    """How many AWS calls a flow makes without a fault."""
    with faults.inject_faults(faults.plan_never) as calls:
        flow()
    return len(calls.operations)


def repeat_until_response(flow, plan):
    """Run a flow like a sender that repeats it until it gets a response. The fault happens once."""
    with faults.inject_faults(plan) as calls:
        try:
            return flow(), calls
        except (faults.SimulatedCrash, UnavailableError):
            pass
    return flow(), calls


def plan_all_faults(total):
    """A plan for each fault at each call of a flow, by name."""
    return {
        f"{number}-{mode}": plan
        for number in range(1, total + 1)
        for mode, plan in (
            *((m, faults.plan_fault_at(number, m)) for m in SINGLE_FAULTS),
            # All attempts of the SDK lose their response: it is unknown what was written.
            ("lost_for_good", faults.plan_faults_by_number({number + n: FaultMode.LOST_REPLY for n in range(3)})),
        )
    }


def test_a_submission_happens_once_despite_any_fault(services):
    """Each fault at each call, then the same POST again with the same key."""
    services.refer("ref_first", key="key-first")
    total = count_calls(lambda: services.restart().refer("ref_count", key="key-count"))
    plans = plan_all_faults(total)
    injected, referral_ids = set(), {}
    for name, plan in plans.items():
        suffixes = iter("ab")

        def submit(name=name, suffixes=suffixes):
            # A repeat reaches a new function instance, which generates a new id.
            return services.restart().refer(f"ref_{name}-{next(suffixes)}", key=f"key-{name}")

        response, calls = repeat_until_response(submit, plan)
        injected |= {name} if calls.count_faults else set()
        referral_ids[name] = response.body["referral_id"]

    snapshot = TableSnapshot.read(services.stores)
    violations = {
        name: found
        for name, referral_id in referral_ids.items()
        if (found := snapshot.find_violations(referral_id, ["submitted"], deliveries=0))
    }
    assert injected == set(plans)
    assert violations == {}
    stored = {key for key in snapshot.rows["referrals"] if not key.startswith(("alias#", "directory#"))}
    assert stored == {*referral_ids.values(), "ref_first", "ref_count"}


def find_violations(services, deliver, stages, *, before=None, **expected):
    """What is wrong after each fault at each call of a delivery, and after its repeat."""

    def prepare_referral(name):
        services.refer(name, key=f"key-{name}")
        if before:
            before(services, name)

    # Creates the center's data key, which only the very first delivery has to do.
    prepare_referral("ref_first")
    deliver(services.restart(), "ref_first")
    prepare_referral("ref_count")
    plans = plan_all_faults(count_calls(lambda: deliver(services.restart(), "ref_count")))
    injected = set()
    for name, plan in plans.items():
        prepare_referral(name)
        _, calls = repeat_until_response(lambda name=name: deliver(services.restart(), name), plan)
        injected |= {name} if calls.count_faults else set()
        if before:
            # The relay job does this for every committed event.
            apply_parked(name, context=services.context)

    assert injected == set(plans)
    snapshot = TableSnapshot.read(services.stores)
    violations = {name: snapshot.find_violations(name, stages, **expected) for name in plans}
    return {name: found for name, found in violations.items() if found}


def accept(services, referral_id):
    """Deliver "accepted"."""
    webhook_id, at = f"{referral_id}-accepted", services.now + MINUTE
    return services.deliver("accepted", referral_id=referral_id, webhook_id=webhook_id, at=at)


def schedule(services, referral_id):
    """Deliver "consult_scheduled", which is parked until "accepted" arrives."""
    webhook_id, at = f"{referral_id}-consult", services.now + 2 * MINUTE
    return services.deliver("consult_scheduled", referral_id=referral_id, webhook_id=webhook_id, at=at)


def test_a_delivery_is_applied_once_despite_any_fault(services):
    """Each fault at each call, then the same delivery again."""
    assert find_violations(services, accept, ["submitted", "accepted"]) == {}


def test_a_delivery_is_parked_once_despite_any_fault(services):
    """It does not change the referral."""
    violations = find_violations(
        services, schedule, ["submitted"], waiting=1, audited=["submitted", "consult_scheduled"]
    )

    assert violations == {}


def test_a_parked_delivery_is_applied_once_despite_any_fault(services):
    """One delivery changes the stage and lets another one apply. The relay applies what is left."""
    stages = ["submitted", "accepted", "consult_scheduled"]
    violations = find_violations(
        services, accept, stages, before=schedule, deliveries=2, audited=[*stages, "consult_scheduled"]
    )

    assert violations == {}


def test_the_fault_search_detects_an_unsafe_handler(services):
    """A handler that first reads and then writes separately loses the event, the mail, or a part of them."""
    violations = find_violations(services, deliver_unsafely, ["submitted", "accepted"])
    modes = {name.split("-")[1] for name in violations}

    assert modes == {*SINGLE_FAULTS, "lost_for_good"}
    assert any("stage" in found for found in violations.values())
    assert any(found == ["tasks"] for found in violations.values())


@pytest.mark.parametrize("mode", [FaultMode.LOST_REPLY, FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED])
def test_a_lasting_outage_is_an_unavailable_error(submitted_services, mode):
    """Status 503, and a repeat completes whatever is missing."""
    outage = faults.plan_always("TransactWriteItems", mode)

    with faults.inject_faults(outage), pytest.raises(UnavailableError):
        submitted_services.restart().deliver("accepted")
    result = submitted_services.restart().deliver("accepted")

    was_written = mode is FaultMode.LOST_REPLY
    assert result.status == ("duplicate" if was_written else "applied")
    assert TableSnapshot.read(submitted_services.stores).find_violations("ref_1", ["submitted", "accepted"]) == []


def test_a_lost_reply_returns_the_result_of_the_first_attempt(submitted_services):
    """The SDK's retry finds the log entry of its first attempt: the event was applied."""
    with faults.inject_faults(faults.plan_nth_fault("TransactWriteItems", 1, FaultMode.LOST_REPLY)):
        result = submitted_services.deliver("accepted")

    assert result.stage == "accepted"
    assert TableSnapshot.read(submitted_services.stores).find_violations("ref_1", ["submitted", "accepted"]) == []
