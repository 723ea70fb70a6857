"""Many mails of one person become one while other runs are about."""

from contextlib import suppress

import pytest

from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.services.notices.send_mail import MOST_AT_ONCE
from chalicelib.store.notices.leases import LEASE
from tests.support import faults
from tests.support.faults import Mode

MANY = MOST_AT_ONCE + 1


@pytest.fixture
def desk(desk):
    """The desk with more to tell one person than is mailed in mails of their own."""
    for n in range(MANY):
        desk.refer(f"ref_{n}", key=f"key-{n}")
    return desk


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
def test_what_was_gathered_is_sent_by_whoever_claims_it_first(desk, dies):
    """Another run finds it before its maker goes on; it sends it, or dies over it."""
    other, theirs = desk.anew(), []
    fault = faults.nth("UpdateItem", 1, Mode.CRASH_AFTER) if dies else faults.never

    def meanwhile():
        with faults.injected(fault) as calls, suppress(faults.Crash):
            other.work_off(Lane.MAIL)
        theirs.append(calls)

    with faults.injected(after_the_gathering(meanwhile)):
        mine = desk.work_off(Lane.EVENT)

    assert "UpdateItem" in theirs[0].operations
    assert (mine["taken"], mine["mails"]) == (1, 0)
    assert len(desk.postbox.taken) == (0 if dies else 1)
    desk.anew().work_off(Lane.MAIL, now=desk.now + LEASE)
    assert len(desk.postbox.taken) == 1
