"""Two writers at once: one acts between the other's reading and its commit.

One process cannot show real parallel writers on the tests' own cloud, and need not: what
matters is what the second writer finds, and that is chosen here.
"""

import pytest

from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import ConflictError, UnavailableError
from chalicelib.services.platform.optimistic import MAX_ATTEMPTS
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals import report_event as journey
from tests.support import faults
from tests.support import stores as shelves
from tests.support.factories import PRACTICE, build_member
from tests.support.referral_values import build_stage_change
from tests.support.service_driver import MINUTE


def while_committing(act):
    """Somebody else acts right before the first commit."""
    return faults.inject_faults(faults.plan_interruption("TransactWriteItems", act))


def stages_of(desk):
    """The timeline as stages with what became of each."""
    return [(event.event.stage.value, event.status.value) for event in desk.list_events()][1:]


def test_the_same_delivery_twice_at_once_is_one_event(submitted_services):
    """Two functions got it in the same millisecond; the slower one finds the receipt."""
    other, theirs = submitted_services.restart(), []

    with while_committing(lambda: theirs.append(other.deliver("received", webhook_id="msg-1"))):
        mine = submitted_services.deliver("received", webhook_id="msg-1")

    assert (theirs[0].status, mine.status) == ("applied", "duplicate")
    assert mine.event_id == theirs[0].event_id
    assert stages_of(submitted_services) == [("received", "applied")]


def test_a_decision_is_taken_anew_when_the_referral_has_moved(submitted_services):
    """Accepted was legal when it was read, and is history when it is written."""
    other = submitted_services.restart()
    later = submitted_services.now + 2 * MINUTE

    with while_committing(lambda: other.deliver("declined", at=later)):
        outcome = submitted_services.deliver("accepted", at=submitted_services.now + MINUTE)

    assert (outcome.status, outcome.stage) == ("recorded", "declined")
    assert stages_of(submitted_services) == [("accepted", "recorded"), ("declined", "applied")]


def test_two_moves_at_once_both_count(submitted_services):
    """Neither is lost, and the versions have no hole."""
    other = submitted_services.restart()

    with while_committing(lambda: other.deliver("received", at=submitted_services.now)):
        outcome = submitted_services.deliver("accepted", at=submitted_services.now + MINUTE)

    assert outcome.status == "applied"
    assert stages_of(submitted_services) == [("received", "applied"), ("accepted", "applied")]
    assert submitted_services.get_referral().version == 3


def test_what_became_illegal_meanwhile_is_refused(submitted_services):
    """The practice withdrew while the center's delivery was on its way."""
    other = submitted_services.restart()

    def withdraw():
        other.report("withdrawn", member=build_member(PRACTICE), at=submitted_services.now)

    with while_committing(withdraw), pytest.raises(ConflictError) as refusal:
        submitted_services.deliver("accepted", at=submitted_services.now + MINUTE)

    assert refusal.value.code == "referral_closed"
    assert submitted_services.get_referral().stage is Stage.WITHDRAWN
    assert [row["status"] for row in shelves.list_rows("deliveries")] == ["refused"]


def test_the_same_post_twice_at_once_is_one_event(submitted_services):
    """A double click: the slower one is told what the quicker one was told."""
    other, theirs = submitted_services.restart(), []

    with while_committing(lambda: theirs.append(other.report("accepted"))):
        mine = submitted_services.report("accepted")

    assert mine.body == theirs[0].body
    assert (theirs[0].replayed, mine.replayed) == (False, True)
    assert stages_of(submitted_services) == [("accepted", "applied")]


def test_the_same_referral_sent_twice_at_once_is_one(services):
    """As above, for a submission, where each try has drawn an id of its own."""
    other, theirs = services.restart(), []

    with while_committing(lambda: theirs.append(other.refer("ref_theirs"))):
        mine = services.refer("ref_mine")

    assert mine.body == theirs[0].body == {"referral_id": "ref_theirs"}
    assert services.stores.referrals.get("ref_mine") is None


def test_two_people_who_make_the_same_move_make_it_once(submitted_services):
    """The slower one's report is history: the referral stands there already."""
    other = submitted_services.restart()
    colleague = build_member(PRACTICE, n=2)

    with (
        while_committing(lambda: other.report("withdrawn", member=colleague, at=submitted_services.now)),
        pytest.raises(ConflictError),
    ):
        submitted_services.report("withdrawn", member=build_member(PRACTICE), at=submitted_services.now + MINUTE)

    assert stages_of(submitted_services) == [("withdrawn", "applied")]
    assert [row["stage"] for row in shelves.list_task_rows()].count("withdrawn") == 1


def test_a_center_that_declined_and_a_feed_that_accepts_end_alike(submitted_services):
    """A person and a system of one center at once, in either order of writing."""
    stages = set()
    for n, (first, second) in enumerate([("declined", "accepted"), ("accepted", "declined")]):
        name = f"ref_race_{n}"
        submitted_services.refer(name, key=name)
        other = submitted_services.restart()
        at = {"accepted": submitted_services.now + MINUTE, "declined": submitted_services.now + 2 * MINUTE}

        def act(first=first, name=name, other=other, at=at):
            other.deliver(first, referral_id=name, at=at[first], webhook_id=f"{name}-{first}")

        with while_committing(act):
            submitted_services.deliver(second, referral_id=name, at=at[second], webhook_id=f"{name}-{second}")
        stages.add(submitted_services.get_referral(name).stage)

    assert stages == {Stage.DECLINED}


@pytest.mark.parametrize("who", ["feed", "member", "system"])
def test_a_referral_that_never_holds_still_is_told_as_busy(submitted_services, who):
    """A bounded number of decisions, then "try again": nothing half done."""
    submitted_services.move_to("received", "accepted")
    other = submitted_services.restart()
    moves: list[str] = []

    def restless(_n, operation):
        if operation == "TransactWriteItems" and "moving" not in moves[-1:]:
            moves.append("moving")
            other.deliver("consult_scheduled", at=submitted_services.now + len(moves) * MINUTE)
            moves[-1] = "moved"

    late = submitted_services.now + 1000 * MINUTE
    as_system = build_stage_change(Stage.DECLINED, late, referral_id="ref_1")
    attempt = {
        "feed": lambda: submitted_services.deliver("declined", at=late),
        "member": lambda: submitted_services.report("declined", at=late),
        "system": lambda: journey.report_by_system(as_system, context=RunContext(submitted_services.stores, late)),
    }[who]

    with faults.inject_faults(restless), pytest.raises(UnavailableError) as refusal:
        attempt()

    assert refusal.value.code == "busy"
    assert len(moves) == MAX_ATTEMPTS
    assert submitted_services.get_referral().stage is Stage.CONSULT_SCHEDULED
