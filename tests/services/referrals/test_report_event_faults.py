"""Every single fault at every AWS call of a submission and of a delivery, then the repeat.

What has to be true in the end, whatever went wrong and wherever: the thing happened once.
"""

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.services.referrals import report_event as journey
from tests.support import faults
from tests.support.broken_variants import deliver_unsafely
from tests.support.faults import FaultMode
from tests.support.invariants import TableSnapshot
from tests.support.service_driver import MINUTE

SINGLE = (FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER, FaultMode.LOST_REPLY)


def calls_of(flow):
    """How many AWS calls a flow makes where nothing goes wrong."""
    with faults.inject_faults(faults.plan_never) as calls:
        flow()
    return len(calls.operations)


def until_answered(flow, plan):
    """Do something as a sender does that sends again until it is answered; a fault comes once."""
    with faults.inject_faults(plan) as calls:
        try:
            return flow(), calls
        except (faults.SimulatedCrash, UnavailableError):
            pass
    return flow(), calls


def faults_of(total):
    """Every fault at every call of a flow, with a name for each."""
    return {
        f"{number}-{mode}": plan
        for number in range(1, total + 1)
        for mode, plan in (
            *((m, faults.plan_fault_at(number, m)) for m in SINGLE),
            # Every try of the SDK is answered into the void: nobody knows what was written.
            ("lost_for_good", faults.plan_faults_by_number({number + n: FaultMode.LOST_REPLY for n in range(3)})),
        )
    }


def test_a_submission_happens_once_whatever_goes_wrong(services):
    """At each call of it, each fault; then the same POST again, with the same key."""
    services.refer("ref_first", key="key-first")
    total = calls_of(lambda: services.restart().refer("ref_count", key="key-count"))
    plans = faults_of(total)
    met, answered = set(), {}
    for name, plan in plans.items():
        tries = iter("ab")

        def submit(name=name, tries=tries):
            # A repeat comes to a new function, which draws a new id.
            return services.restart().refer(f"ref_{name}-{next(tries)}", key=f"key-{name}")

        answer, calls = until_answered(submit, plan)
        met |= {name} if calls.count_faults else set()
        answered[name] = answer.body["referral_id"]

    books = TableSnapshot.read(services.stores)
    wrong = {
        name: faulty
        for name, referral_id in answered.items()
        if (faulty := books.find_violations(referral_id, ["submitted"], deliveries=0))
    }
    made = set(books.rows["referrals"])
    assert met == set(plans)
    assert wrong == {}
    assert made == {*answered.values(), "ref_first", "ref_count"}


def wrong_after_faults(desk, deliver, stages, *, before=None, **wanted):
    """What is wrong after every fault at every call of a delivery, and its repeat."""

    def started(name):
        desk.refer(name, key=f"key-{name}")
        if before:
            before(desk, name)

    # Makes the center's data key, which only the first delivery of all has to.
    started("ref_first")
    deliver(desk.restart(), "ref_first")
    started("ref_count")
    plans = faults_of(calls_of(lambda: deliver(desk.restart(), "ref_count")))
    met = set()
    for name, plan in plans.items():
        started(name)
        _, calls = until_answered(lambda name=name: deliver(desk.restart(), name), plan)
        met |= {name} if calls.count_faults else set()
        if before:
            # As the relay does for every event that was committed.
            journey.apply_parked(name, context=desk.context)

    assert met == set(plans)
    books = TableSnapshot.read(desk.stores)
    checked = {name: books.find_violations(name, stages, **wanted) for name in plans}
    return {name: faulty for name, faulty in checked.items() if faulty}


def accept(desk, referral_id):
    """A center's delivery."""
    webhook_id, at = f"{referral_id}-accepted", desk.now + MINUTE
    return desk.deliver("accepted", referral_id=referral_id, webhook_id=webhook_id, at=at)


def schedule(desk, referral_id):
    """A delivery that has to wait for the one above."""
    webhook_id, at = f"{referral_id}-consult", desk.now + 2 * MINUTE
    return desk.deliver("consult_scheduled", referral_id=referral_id, webhook_id=webhook_id, at=at)


def test_a_delivery_happens_once_whatever_goes_wrong(services):
    """At each call of it, each fault; then the same delivery again."""
    assert wrong_after_faults(services, accept, ["submitted", "accepted"]) == {}


def test_a_delivery_is_parked_once_whatever_goes_wrong(services):
    """It waits, once, and moves nothing."""
    wrong = wrong_after_faults(services, schedule, ["submitted"], waiting=1, audited=["submitted", "consult_scheduled"])

    assert wrong == {}


def test_what_waited_is_settled_once_whatever_goes_wrong(services):
    """One delivery moves the referral and settles another; the relay looks after what is left."""
    stages = ["submitted", "accepted", "consult_scheduled"]
    wrong = wrong_after_faults(
        services, accept, stages, before=schedule, deliveries=2, audited=[*stages, "consult_scheduled"]
    )

    assert wrong == {}


def test_the_search_finds_a_naive_handler_out(services):
    """Seen, then done: some fault loses the move, some the mail, some only half of either."""
    wrong = wrong_after_faults(services, deliver_unsafely, ["submitted", "accepted"])
    modes = {name.split("-")[1] for name in wrong}

    assert modes == {*SINGLE, "lost_for_good"}
    assert any("stage" in faulty for faulty in wrong.values())
    assert any(faulty == ["tasks"] for faulty in wrong.values())


@pytest.mark.parametrize("mode", [FaultMode.LOST_REPLY, FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED])
def test_trouble_that_does_not_end_is_told_as_such(submitted_services, mode):
    """503, and nothing half done that the repeat would not make whole."""
    dead = faults.plan_always("TransactWriteItems", mode)

    with faults.inject_faults(dead), pytest.raises(UnavailableError):
        submitted_services.restart().deliver("accepted")
    outcome = submitted_services.restart().deliver("accepted")

    written = mode is FaultMode.LOST_REPLY
    assert outcome.status == ("duplicate" if written else "applied")
    assert TableSnapshot.read(submitted_services.stores).find_violations("ref_1", ["submitted", "accepted"]) == []


def test_a_lost_reply_is_told_as_what_became_of_it(submitted_services):
    """The SDK's own retry meets the receipt of the first try: it was applied, and is there."""
    with faults.inject_faults(faults.plan_nth_fault("TransactWriteItems", 1, FaultMode.LOST_REPLY)):
        outcome = submitted_services.deliver("accepted")

    assert outcome.stage == "accepted"
    assert TableSnapshot.read(submitted_services.stores).find_violations("ref_1", ["submitted", "accepted"]) == []
