"""The end of a referral, reported late, twice, by both sides, and against later steps."""

import json
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.notice_rules import EVENT_RULES, Category
from chalicelib.domain.notices.tasks import CONTRADICTION_RULE, TaskQueue
from tests.support.api_driver import STAGES_TO_INFUSED

DAY = timedelta(days=1)
TO_CONSULTATION = ("received", "accepted", "consult_scheduled", "consult_completed")


def after(steps):
    """A time some steps after the submission; all 60 are within the ten minutes that a clock may be ahead."""
    return (wiring.read_clock() + timedelta(seconds=9 * steps)).isoformat()


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was just submitted."""
    return shared_api.refer()["referral_id"]


def report(world, referral_id, stage, at, *, side="practice", **data):
    """Report a stage as a person of one side does."""
    body = {"type": "stage.changed", "occurred_at": at, "data": {"stage": stage, **data}}
    return world.get_client_for(world.members[side]).post(f"/v1/referrals/{referral_id}/events", body)


def read(world, referral_id, side="practice"):
    return world.get_client_for(world.members[side]).get(f"/v1/referrals/{referral_id}").json


def list_tasks(world, referral_id):
    """List the rules of the tasks that notify people about a referral, and are due now."""
    rows = world.stores.outbox.list_due(TaskQueue.EVENT, by=wiring.read_clock() + DAY, limit=1000)
    return sorted(row["rule"] for row in rows if row["referral_id"] == referral_id)


def result(answer):
    return answer.status, answer.json.get("status"), answer.json.get("stage"), answer.json.get("contradiction")


@pytest.mark.parametrize("side", ["practice", "center"])
def test_a_death_that_is_reported_after_a_later_step_ends_the_referral(shared_api, referral_id, side):
    """J1: the clerk's next step is dated after the death. Both reports are shown, and someone must check."""
    shared_api.deliver(referral_id, "received", at=after(5))
    shared_api.deliver(referral_id, "accepted", at=after(10))
    shared_api.deliver(referral_id, "consult_scheduled", at=after(30))

    answer = report(shared_api, referral_id, "deceased", after(20), side=side)

    assert result(answer) == (200, "applied", "deceased", True)
    found = read(shared_api, referral_id, "center")["contradiction"]
    assert (found["ending"], found["step"], found["is_ended"]) == ("deceased", "consult_scheduled", True)
    assert found["reported_by"] == side


def test_a_late_death_by_webhook_ends_the_referral(shared_api, referral_id):
    """The same rule for a center's system."""
    shared_api.deliver(referral_id, "received", at=after(30))

    assert result(shared_api.deliver(referral_id, "deceased", at=after(10))) == (200, "applied", "deceased", True)


def test_a_death_replaces_another_ending(shared_api, referral_id):
    """The referral was withdrawn; then the practice learns that the patient had died before."""
    report(shared_api, referral_id, "withdrawn", after(30))

    assert result(report(shared_api, referral_id, "deceased", after(10)))[:3] == (200, "applied", "deceased")


def test_a_death_that_is_reported_after_a_reopening_counts(shared_api, referral_id):
    """The reopening canceled the withdrawal, and not a death that no one knew of."""
    report(shared_api, referral_id, "withdrawn", after(20))
    reopened = {"type": "referral.reopened", "occurred_at": after(40), "data": {"note": "The patient wants it."}}
    assert shared_api.practice.post(f"/v1/referrals/{referral_id}/events", reopened).json["stage"] == "submitted"

    assert result(report(shared_api, referral_id, "deceased", after(30)))[:3] == (200, "applied", "deceased")


def test_a_death_that_was_reported_by_mistake_can_be_undone(shared_api, referral_id):
    """After the reopening, an older report of the same death that was known does not come back."""
    shared_api.deliver(referral_id, "received", at=after(10))
    report(shared_api, referral_id, "deceased", after(20))
    shared_api.deliver(referral_id, "deceased", at=after(25))
    reopened = {"type": "referral.reopened", "occurred_at": after(40), "data": {"note": "Another patient."}}

    answer = shared_api.practice.post(f"/v1/referrals/{referral_id}/events", reopened)

    assert (answer.json["status"], answer.json["stage"]) == ("applied", "received")
    assert result(shared_api.deliver(referral_id, "accepted", at=after(50)))[1:3] == ("applied", "accepted")


def test_an_infusion_after_a_death_is_refused(shared_api, referral_id):
    """Everything after the death is wrong, or the death is."""
    report(shared_api, referral_id, "deceased", after(20))

    answer = shared_api.deliver(referral_id, "infused", at=after(40))

    assert (answer.status, answer.json["code"]) == (409, "referral_closed")


def test_a_second_report_of_a_death_is_recorded(shared_api, referral_id):
    """Both sides report it; the first report counts, and no one is notified twice."""
    report(shared_api, referral_id, "deceased", after(20))
    tasks = list_tasks(shared_api, referral_id)

    assert result(shared_api.deliver(referral_id, "deceased", at=after(30)))[1] == "recorded"
    assert list_tasks(shared_api, referral_id) == tasks


@pytest.mark.parametrize(("stage", "side"), [("withdrawn", "practice"), ("declined", "center")])
def test_an_ending_before_a_clerical_step_ends_the_referral(shared_api, referral_id, stage, side):
    """J2: an appointment in the calendar does not show that the patient continued."""
    shared_api.deliver(referral_id, "received", at=after(5))
    shared_api.deliver(referral_id, "accepted", at=after(10))
    shared_api.deliver(referral_id, "consult_scheduled", at=after(30))

    answer = report(shared_api, referral_id, stage, after(20), side=side, reason_code="patient_choice")

    assert result(answer) == (200, "applied", stage, None)


@pytest.mark.parametrize(("stage", "side"), [("withdrawn", "practice"), ("declined", "center")])
def test_an_ending_before_a_visit_of_the_patient_is_recorded_and_both_sides_are_asked(
    shared_api, referral_id, stage, side
):
    """J2: the patient came to the consultation after the reported end."""
    for n, step in enumerate(TO_CONSULTATION, 1):
        shared_api.deliver(referral_id, step, at=after(n * 10))

    answer = report(shared_api, referral_id, stage, after(35), side=side, reason_code="patient_choice")

    assert result(answer) == (200, "recorded", "consult_completed", True)
    found = read(shared_api, referral_id)["contradiction"]
    assert (found["ending"], found["step"], found["is_ended"]) == (stage, "consult_completed", False)
    assert CONTRADICTION_RULE in list_tasks(shared_api, referral_id)


def test_a_visit_that_is_reported_after_the_end_opens_the_referral_again(shared_api, referral_id):
    """The end state does not depend on which of the two reports arrived first."""
    for n, step in enumerate(TO_CONSULTATION[:3], 1):
        shared_api.deliver(referral_id, step, at=after(n * 10))
    report(shared_api, referral_id, "withdrawn", after(35), reason_code="patient_choice")

    answer = shared_api.deliver(referral_id, "consult_completed", at=after(40))

    assert result(answer) == (200, "applied", "consult_completed", True)


def test_a_corrected_ending_settles_the_contradiction(shared_api, referral_id):
    """Its reporter takes it back."""
    for n, step in enumerate(TO_CONSULTATION, 1):
        shared_api.deliver(referral_id, step, at=after(n * 10))
    wrong = report(shared_api, referral_id, "withdrawn", after(35), reason_code="patient_choice").json["event_id"]
    correction = {"type": "event.corrected", "occurred_at": after(50), "data": {"supersedes": wrong}}

    answer = shared_api.practice.post(f"/v1/referrals/{referral_id}/events", correction)

    assert answer.json["status"] == "applied"
    assert read(shared_api, referral_id)["contradiction"] is None


def test_a_late_extension_of_the_window_is_applied_like_a_timely_one(shared_api, referral_id):
    """J3: it was true before monitoring opened; the practice is notified of the new day."""
    for n, step in enumerate((*STAGES_TO_INFUSED, "monitoring"), 1):
        assert shared_api.deliver(referral_id, step, at=after(n * 3)).json["status"] == "applied"
    ends_on = (wiring.read_clock() + 60 * DAY).date().isoformat()
    body = {"type": "window.extended", "referral_id": referral_id, "occurred_at": after(40)}

    answer = shared_api.deliver_raw(json.dumps(body | {"data": {"ends_on": ends_on}}).encode())

    assert answer.json["status"] == "applied"
    assert read(shared_api, referral_id)["window"]["ends_on"] == ends_on
    assert "window.extended" in list_tasks(shared_api, referral_id)


@pytest.mark.parametrize("how", ["corrected", "reopened"])
def test_a_death_that_was_reported_in_error_is_corrected_with_a_critical_notice(shared_api, referral_id, how):
    """Both sides stopped their care, so the correction may not wait for a digest or for the morning."""
    shared_api.deliver(referral_id, "received", at=after(5))
    death = report(shared_api, referral_id, "deceased", after(10)).json["event_id"]
    event = {
        "corrected": {"type": "event.corrected", "data": {"supersedes": death}},
        "reopened": {"type": "referral.reopened", "data": {"note": "Another patient."}},
    }[how]

    answer = shared_api.practice.post(f"/v1/referrals/{referral_id}/events", {"occurred_at": after(11), **event})

    assert (answer.status, answer.json.get("stage")) == (200, "received"), answer.text
    assert "death.corrected" in list_tasks(shared_api, referral_id)
    assert EVENT_RULES["death.corrected"].category is Category.CRITICAL
