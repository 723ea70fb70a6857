"""Many mails of one person become one while other runs are about."""

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
    """The desk with more to tell one person than is mailed in mails of their own."""
    for n in range(MANY):
        services.refer(f"ref_{n}", key=f"key-{n}")
    return services


def after_the_gathering(act):
    """Nothing goes wrong, but somebody else acts before the call that comes after it."""
    before: list[str] = []

    def plan(_n, name):
        # Each task is told in a transaction of its own, and then their mails become one.
        has_gathered = before[-1:] == ["TransactWriteItems"]
        before.append(name)
        if has_gathered and before.count("TransactWriteItems") == MANY + 1:
            act()

    return plan


@pytest.mark.parametrize("dies", [False, True])
def test_what_was_gathered_is_sent_by_whoever_claims_it_first(services, dies):
    """Another run finds it before its maker goes on; it sends it, or dies over it."""
    other, theirs = services.restart(), []
    fault = faults.plan_nth_fault("UpdateItem", 1, FaultMode.CRASH_AFTER) if dies else faults.plan_never

    def meanwhile():
        with faults.inject_faults(fault) as calls, suppress(faults.SimulatedCrash):
            other.run_queue(TaskQueue.MAIL)
        theirs.append(calls)

    with faults.inject_faults(after_the_gathering(meanwhile)):
        mine = services.run_queue(TaskQueue.EVENT)

    assert "UpdateItem" in theirs[0].operations
    assert (mine["taken"], mine["mails"]) == (1, 0)
    assert len(services.postbox.accepted) == (0 if dies else 1)
    services.restart().run_queue(TaskQueue.MAIL, now=services.now + LEASE_DURATION)
    assert len(services.postbox.accepted) == 1
