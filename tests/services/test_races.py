"""Two writers at once: one acts between the other's reading and its commit.

One process cannot show real parallel writers on the tests' own cloud, and need not: what
matters is what the second writer finds, and that is chosen here.
"""

import pytest

from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import RefusedError, UnavailableError
from chalicelib.services.referrals import report_event as journey
from tests.support import faults, shelves
from tests.support.desk import MINUTE
from tests.support.factories import PRACTICE, a_member
from tests.support.journey import a_change


def while_committing(act):
    """Somebody else acts right before the first commit."""
    return faults.injected(faults.meanwhile("TransactWriteItems", act))


def stages_of(desk):
    """The timeline as stages with what became of each."""
    return [(event.event.stage.value, event.status.value) for event in desk.events()][1:]


def test_the_same_delivery_twice_at_once_is_one_event(referred):
    """Two functions got it in the same millisecond; the slower one finds the receipt."""
    other, theirs = referred.anew(), []

    with while_committing(lambda: theirs.append(other.deliver("received", webhook_id="msg-1"))):
        mine = referred.deliver("received", webhook_id="msg-1")

    assert (theirs[0].status, mine.status) == ("applied", "duplicate")
    assert mine.event_id == theirs[0].event_id
    assert stages_of(referred) == [("received", "applied")]


def test_a_decision_is_taken_anew_when_the_referral_has_moved(referred):
    """Accepted was legal when it was read, and is history when it is written."""
    other = referred.anew()
    later = referred.now + 2 * MINUTE

    with while_committing(lambda: other.deliver("declined", at=later)):
        outcome = referred.deliver("accepted", at=referred.now + MINUTE)

    assert (outcome.status, outcome.stage) == ("recorded", "declined")
    assert stages_of(referred) == [("accepted", "recorded"), ("declined", "applied")]


def test_two_moves_at_once_both_count(referred):
    """Neither is lost, and the versions have no hole."""
    other = referred.anew()

    with while_committing(lambda: other.deliver("received", at=referred.now)):
        outcome = referred.deliver("accepted", at=referred.now + MINUTE)

    assert outcome.status == "applied"
    assert stages_of(referred) == [("received", "applied"), ("accepted", "applied")]
    assert referred.referral().version == 3


def test_what_became_illegal_meanwhile_is_refused(referred):
    """The practice withdrew while the center's delivery was on its way."""
    other = referred.anew()

    def withdraw():
        other.report("withdrawn", member=a_member(PRACTICE), at=referred.now)

    with while_committing(withdraw), pytest.raises(RefusedError) as refusal:
        referred.deliver("accepted", at=referred.now + MINUTE)

    assert refusal.value.code == "referral_closed"
    assert referred.referral().stage is Stage.WITHDRAWN
    assert [row["status"] for row in shelves.rows("deliveries")] == ["refused"]


def test_the_same_post_twice_at_once_is_one_event(referred):
    """A double click: the slower one is told what the quicker one was told."""
    other, theirs = referred.anew(), []

    with while_committing(lambda: theirs.append(other.report("accepted"))):
        mine = referred.report("accepted")

    assert mine.body == theirs[0].body
    assert (theirs[0].replayed, mine.replayed) == (False, True)
    assert stages_of(referred) == [("accepted", "applied")]


def test_the_same_referral_sent_twice_at_once_is_one(desk):
    """As above, for a submission, where each try has drawn an id of its own."""
    other, theirs = desk.anew(), []

    with while_committing(lambda: theirs.append(other.refer("ref_theirs"))):
        mine = desk.refer("ref_mine")

    assert mine.body == theirs[0].body == {"referral_id": "ref_theirs"}
    assert desk.stores.referrals.get("ref_mine") is None


def test_two_people_who_make_the_same_move_make_it_once(referred):
    """The slower one's report is history: the referral stands there already."""
    other = referred.anew()
    colleague = a_member(PRACTICE, n=2)

    with (
        while_committing(lambda: other.report("withdrawn", member=colleague, at=referred.now)),
        pytest.raises(RefusedError),
    ):
        referred.report("withdrawn", member=a_member(PRACTICE), at=referred.now + MINUTE)

    assert stages_of(referred) == [("withdrawn", "applied")]
    assert [row["stage"] for row in shelves.tasks()].count("withdrawn") == 1


def test_a_center_that_declined_and_a_feed_that_accepts_end_alike(referred):
    """A person and a system of one center at once, in either order of writing."""
    stages = set()
    for n, (first, second) in enumerate([("declined", "accepted"), ("accepted", "declined")]):
        name = f"ref_race_{n}"
        referred.refer(name, key=name)
        other = referred.anew()
        at = {"accepted": referred.now + MINUTE, "declined": referred.now + 2 * MINUTE}

        def act(first=first, name=name, other=other, at=at):
            other.deliver(first, referral_id=name, at=at[first], webhook_id=f"{name}-{first}")

        with while_committing(act):
            referred.deliver(second, referral_id=name, at=at[second], webhook_id=f"{name}-{second}")
        stages.add(referred.referral(name).stage)

    assert stages == {Stage.DECLINED}


@pytest.mark.parametrize("who", ["feed", "member", "system"])
def test_a_referral_that_never_holds_still_is_told_as_busy(referred, who):
    """A bounded number of decisions, then "try again": nothing half done."""
    referred.move_to("received", "accepted")
    other = referred.anew()
    moves: list[str] = []

    def restless(_n, operation):
        if operation == "TransactWriteItems" and "moving" not in moves[-1:]:
            moves.append("moving")
            other.deliver("consult_scheduled", at=referred.now + len(moves) * MINUTE)
            moves[-1] = "moved"

    late = referred.now + 1000 * MINUTE
    as_system = a_change(Stage.DECLINED, late, referral_id="ref_1")
    attempt = {
        "feed": lambda: referred.deliver("declined", at=late),
        "member": lambda: referred.report("declined", at=late),
        "system": lambda: journey.report_by_system(as_system, stores=referred.stores, now=late),
    }[who]

    with faults.injected(restless), pytest.raises(UnavailableError) as refusal:
        attempt()

    assert refusal.value.code == "busy"
    assert len(moves) == journey.REREADS
    assert referred.referral().stage is Stage.CONSULT_SCHEDULED
