"""Merging many emails of one person while another run is active."""

from contextlib import suppress

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.send_mail import MAX_SINGLE_MAILS
from chalicelib.store.notices.leases import LEASE_DURATION
from tests.support import faults
from tests.support.faults import FaultMode

MANY = MAX_SINGLE_MAILS + 1


@pytest.fixture
def services(services):
    """Services with more due emails for one person than are sent separately."""
    for n in range(MANY):
        services.refer(f"ref_{n}", key=f"key-{n}")
    return services


def run_after_merge(act):
    """No fault, but `act` runs before the first call after the merge."""
    before: list[str] = []

    def plan(_n, name):
        # Each notice is written in its own transaction, and then their emails are merged in another one.
        has_merged = before[-1:] == ["TransactWriteItems"]
        before.append(name)
        if has_merged and before.count("TransactWriteItems") == MANY + 1:
            act()

    return plan


@pytest.mark.parametrize("crashes", [False, True])
def test_a_merged_email_is_sent_by_the_run_that_claims_it_first(services, crashes):
    """Another run finds it before the run that merged it continues. It sends the email or crashes."""
    other, other_calls = services.restart(), []
    fault = faults.plan_nth_fault("UpdateItem", 1, FaultMode.CRASH_AFTER) if crashes else faults.plan_never

    def run_other():
        with faults.inject_faults(fault) as calls, suppress(faults.SimulatedCrash):
            other.run_queue(TaskQueue.MAIL)
        other_calls.append(calls)

    with faults.inject_faults(run_after_merge(run_other)):
        counts = services.run_queue(TaskQueue.EVENT)

    assert "UpdateItem" in other_calls[0].operations
    assert (counts["taken"], counts["mails"]) == (1, 0)
    assert len(services.postbox.accepted) == (0 if crashes else 1)
    services.restart().run_queue(TaskQueue.MAIL, now=services.now + LEASE_DURATION)
    assert len(services.postbox.accepted) == 1


SDK_ATTEMPTS = 3


@pytest.mark.parametrize(
    "operation", ["BatchGetItem", "TransactWriteItems", "UpdateItem"], ids=["read again", "merged", "claimed"]
)
def test_throttled_emails_of_a_member_do_not_end_the_run(services, operation):
    """However they change at that moment. The run sends those of another member, and then tries once more."""
    services.refer("ref_other", key="key-other", center_id="ctr_mesa")
    before: list[str] = []
    sending: list[str] = []
    met: list[str] = []

    def plan(_n, name):
        # Each notice is written in its own transaction. After the last one the due emails are read and sent.
        if sending and name == operation and len(met) < SDK_ATTEMPTS:
            met.append(name)
            return FaultMode.THROTTLE
        before.append(name)
        if name == "Query" and before.count("TransactWriteItems") == MANY + 1:
            sending.append(name)
        return None

    with faults.inject_faults(plan):
        counts = services.run_queue(TaskQueue.EVENT)

    assert len(met) == SDK_ATTEMPTS
    assert (counts["done"], counts["mails"], counts["failed"] > 0) == (MANY + 1, 2, True)
    assert len(set(services.postbox.list_recipients)) == len(services.postbox.accepted) == 2
