"""Races of two writers: one writes between the read and the commit of the other.

One process cannot run real parallel writers on the tests' local cloud, and does not need to. Only what the
second writer finds matters, and the tests choose that.
"""

import pytest

from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import ConflictError, UnavailableError
from chalicelib.services.platform.optimistic import MAX_ATTEMPTS
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.report_event import report_by_system
from tests.support import faults
from tests.support.factories import PRACTICE, build_member
from tests.support.referral_values import build_stage_change
from tests.support.service_driver import MINUTE
from tests.support.stores import list_rows, list_task_rows


def while_committing(act):
    """Let another writer act right before the first commit."""
    return faults.inject_faults(faults.plan_interruption("TransactWriteItems", act))


def list_stages(services):
    """The stages after the submission, with the status of each event."""
    return [(event.event.stage.value, event.status.value) for event in services.list_events()][1:]


def test_the_same_delivery_twice_at_once_is_one_event(submitted_services):
    """Two function instances got it in the same millisecond; the slower one finds the log entry."""
    other, theirs = submitted_services.restart(), []

    with while_committing(lambda: theirs.append(other.deliver("received", webhook_id="msg-1"))):
        mine = submitted_services.deliver("received", webhook_id="msg-1")

    assert (theirs[0].status, mine.status) == ("applied", "duplicate")
    assert mine.event_id == theirs[0].event_id
    assert list_stages(submitted_services) == [("received", "applied")]


def test_an_event_is_decided_again_after_a_conflict(submitted_services):
    """It was possible for the stage that was read, and is history for the stage at the commit."""
    other = submitted_services.restart()
    later = submitted_services.now + 2 * MINUTE

    with while_committing(lambda: other.deliver("declined", at=later)):
        result = submitted_services.deliver("accepted", at=submitted_services.now + MINUTE)

    assert (result.status, result.stage) == ("recorded", "declined")
    assert list_stages(submitted_services) == [("accepted", "recorded"), ("declined", "applied")]


def test_two_events_at_once_are_both_applied(submitted_services):
    """Neither is lost, and the version numbers have no gap."""
    other = submitted_services.restart()

    with while_committing(lambda: other.deliver("received", at=submitted_services.now)):
        result = submitted_services.deliver("accepted", at=submitted_services.now + MINUTE)

    assert result.status == "applied"
    assert list_stages(submitted_services) == [("received", "applied"), ("accepted", "applied")]
    assert submitted_services.get_referral().version == 3


def test_an_event_that_a_conflict_makes_impossible_is_refused(submitted_services):
    """The practice withdrew while the center's delivery was on its way."""
    other = submitted_services.restart()

    def withdraw():
        other.report("withdrawn", member=build_member(PRACTICE), at=submitted_services.now)

    with while_committing(withdraw), pytest.raises(ConflictError) as refusal:
        submitted_services.deliver("accepted", at=submitted_services.now + MINUTE)

    assert refusal.value.code == "referral_closed"
    assert submitted_services.get_referral().stage is Stage.WITHDRAWN
    assert [row["status"] for row in list_rows("deliveries")] == ["refused"]


def test_the_same_post_twice_at_once_is_one_event(submitted_services):
    """A double click: both requests get the same response."""
    other, theirs = submitted_services.restart(), []

    with while_committing(lambda: theirs.append(other.report("accepted"))):
        mine = submitted_services.report("accepted")

    assert mine.body == theirs[0].body
    assert (theirs[0].replayed, mine.replayed) == (False, True)
    assert list_stages(submitted_services) == [("accepted", "applied")]


def test_the_same_submission_twice_at_once_is_one_referral(services):
    """As above, although each attempt generated its own referral id."""
    other, theirs = services.restart(), []

    with while_committing(lambda: theirs.append(other.refer("ref_theirs"))):
        mine = services.refer("ref_mine")

    assert mine.body == theirs[0].body == {"referral_id": "ref_theirs"}
    assert services.stores.referrals.get("ref_mine") is None


def test_two_members_with_the_same_event_report_it_once(submitted_services):
    """The slower report is kept in the history, because the referral is already in that stage."""
    other = submitted_services.restart()
    colleague = build_member(PRACTICE, n=2)

    with while_committing(lambda: other.report("withdrawn", member=colleague, at=submitted_services.now)):
        submitted_services.report("withdrawn", member=build_member(PRACTICE), at=submitted_services.now + MINUTE)

    assert sorted(list_stages(submitted_services)) == [("withdrawn", "applied"), ("withdrawn", "recorded")]
    assert [row["stage"] for row in list_task_rows()].count("withdrawn") == 1


def test_a_race_of_declined_and_accepted_has_one_outcome(submitted_services):
    """Both arrive at once, and the order of the writes does not matter."""
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


@pytest.mark.parametrize("reporter", ["webhook", "member", "system"])
def test_endless_conflicts_end_in_a_busy_error(submitted_services, reporter):
    """The number of attempts is limited, and nothing is partly written."""
    submitted_services.move_to("received", "accepted")
    other = submitted_services.restart()
    changes: list[str] = []

    def change_before_each_commit(_n, operation):
        if operation == "TransactWriteItems" and "writing" not in changes[-1:]:
            changes.append("writing")
            other.deliver("consult_scheduled", at=submitted_services.now + len(changes) * MINUTE)
            changes[-1] = "written"

    late = submitted_services.now + 1000 * MINUTE
    system_event = build_stage_change(Stage.DECLINED, late, referral_id="ref_1")
    attempt = {
        "webhook": lambda: submitted_services.deliver("declined", at=late),
        "member": lambda: submitted_services.report("declined", at=late),
        "system": lambda: report_by_system(system_event, context=RunContext(submitted_services.stores, late)),
    }[reporter]

    with faults.inject_faults(change_before_each_commit), pytest.raises(UnavailableError) as refusal:
        attempt()

    assert refusal.value.code == "busy"
    assert len(changes) == MAX_ATTEMPTS
    assert submitted_services.get_referral().stage is Stage.CONSULT_SCHEDULED
