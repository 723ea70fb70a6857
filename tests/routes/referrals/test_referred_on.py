"""J16: a patient who is already on the way is entered with the day of the referral, and the steps since then count."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from tests.support.api_driver import REQUIRED_STAGES_TO_INFUSED
from tests.support.factories import build_referral_body


def get_day(days_ago):
    """The calendar day some days ago."""
    return (wiring.read_clock() - timedelta(days=days_ago)).date().isoformat()


def report(site, referral_id, stage, days_ago, **data):
    """Report a stage of noon at the center, some days ago."""
    event = {
        "type": "stage.changed",
        "occurred_at": f"{get_day(days_ago)}T16:00:00Z",
        "data": {"stage": stage, **data},
    }
    return site.post(f"/v1/referrals/{referral_id}/events", event)


def report_to_infused(shared_api, referral_id, *, infused_days_ago):
    """Report each required stage, one week apart, by a member of the center."""
    stages = REQUIRED_STAGES_TO_INFUSED
    for weeks, stage in zip(range(len(stages) - 1, -1, -1), stages, strict=True):
        answer = report(shared_api.center, referral_id, stage, infused_days_ago + 7 * weeks)
        assert (answer.status, answer.json["status"]) == (200, "applied"), f"{stage}: {answer.text}"


def read(shared_api, referral_id):
    return shared_api.practice.get(f"/v1/referrals/{referral_id}").json


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was submitted now, of a patient who was referred 200 days ago."""
    return shared_api.refer(referred_on=get_day(200))["referral_id"]


def test_the_day_is_returned_and_the_submission_keeps_its_true_time(shared_api, referral_id):
    referral = read(shared_api, referral_id)

    assert referral["referred_on"] == get_day(200)
    assert referral["submitted_at"][:10] in {get_day(0), get_day(1)}
    rows = shared_api.center.get("/v1/referrals").json["items"]
    assert [row["referred_on"] for row in rows if row["referral_id"] == referral_id] == [get_day(200)]


def test_a_referral_without_the_day_returns_none(shared_api):
    assert shared_api.refer()["referred_on"] is None


def test_steps_since_that_day_by_a_member_are_applied(shared_api, referral_id):
    report_to_infused(shared_api, referral_id, infused_days_ago=20)

    referral = read(shared_api, referral_id)
    assert referral["stage"] == "infused"
    assert referral["window"]["infused_on"] == get_day(20)


def test_steps_since_that_day_by_webhook_are_applied(shared_api, referral_id):
    for weeks, stage in enumerate(REQUIRED_STAGES_TO_INFUSED):
        answer = shared_api.deliver(referral_id, stage, at=f"{get_day(190 - 7 * weeks)}T16:00:00Z")
        assert answer.json["status"] == "applied", f"{stage}: {answer.text}"

    assert read(shared_api, referral_id)["stage"] == "infused"


def test_the_order_of_arrival_does_not_matter(shared_api, referral_id):
    stages = [*enumerate(REQUIRED_STAGES_TO_INFUSED)]
    for weeks, stage in reversed(stages):
        shared_api.deliver(referral_id, stage, at=f"{get_day(190 - 7 * weeks)}T16:00:00Z")

    assert read(shared_api, referral_id)["stage"] == "infused"


def test_milestones_in_the_past_send_nothing(shared_api, referral_id):
    report_to_infused(shared_api, referral_id, infused_days_ago=100)

    notices = read(shared_api, referral_id)["window"]["notices"]
    past = [notice for notice in notices if notice["due_on"] < get_day(1)]
    assert len(past) > 5
    assert {(notice["state"], notice["why"]) for notice in past} == {("skipped", "overtaken")}
    assert {notice["state"] for notice in notices if notice not in past} == {"planned"}


def test_a_date_since_that_day_needs_no_confirmation(shared_api, referral_id):
    assert report(shared_api.center, referral_id, "accepted", 199).status == 200


def test_a_date_long_before_that_day_is_asked_about(shared_api, referral_id):
    assert report(shared_api.center, referral_id, "accepted", 262).json["code"] == "confirm_old_date"


def test_an_ending_since_that_day_is_applied_without_a_contradiction(shared_api, referral_id):
    report(shared_api.center, referral_id, "accepted", 190)
    answer = report(shared_api.center, referral_id, "deceased", 100)

    assert answer.json["status"] == "applied"
    referral = read(shared_api, referral_id)
    assert (referral["stage"], referral["contradiction"]) == ("deceased", None)


def test_an_ending_before_that_day_is_refused(shared_api, referral_id):
    assert report(shared_api.center, referral_id, "declined", 203).json["code"] == "before_referral"


def test_a_withdrawal_by_the_practice_since_that_day_is_applied(shared_api, referral_id):
    answer = report(shared_api.practice, referral_id, "withdrawn", 150, reason_code="patient_choice")

    assert (answer.status, answer.json["status"]) == (200, "applied"), answer.text
    assert read(shared_api, referral_id)["stage"] == "withdrawn"


def test_a_return_that_the_practice_acknowledged_since_that_day_is_applied(shared_api, referral_id):
    report_to_infused(shared_api, referral_id, infused_days_ago=100)
    for days_ago, stage in ((99, "monitoring"), (60, "window_complete"), (50, "handback_ready")):
        assert report(shared_api.center, referral_id, stage, days_ago).json["status"] == "applied", stage

    answer = report(shared_api.practice, referral_id, "handed_back", 45)

    assert (answer.status, answer.json["status"]) == (200, "applied"), answer.text
    assert read(shared_api, referral_id)["stage"] == "handed_back"


def test_a_planned_date_since_that_day_is_accepted(shared_api, referral_id):
    body = {
        "type": "plan.changed",
        "occurred_at": f"{get_day(190)}T16:00:00Z",
        "data": {"plan": "leukapheresis", "on": get_day(170)},
    }

    answer = shared_api.center.post(f"/v1/referrals/{referral_id}/events", body)

    assert answer.status == 200, answer.text


def test_a_new_referral_waits_for_the_center_since_its_submission(shared_api, referral_id):
    referral = read(shared_api, referral_id)

    assert referral["clock"]["level"] == "on_time"
    assert referral["stage_since"] == referral["submitted_at"]


def test_the_journey_begins_on_that_day(shared_api, referral_id):
    report(shared_api.center, referral_id, "accepted", 190)
    events = shared_api.practice.get(f"/v1/referrals/{referral_id}/events").json["items"]

    assert {event["stage"]: event["status"] for event in events} == {"submitted": "applied", "accepted": "applied"}


def test_the_journey_shows_no_day_for_the_draft(shared_api, referral_id):
    """The draft was written long after the patient was referred."""
    journey = read(shared_api, referral_id)["journey"]
    days = {step["stage"]: step["at"] for phase in journey for step in phase["stages"] if step["state"] != "ahead"}

    assert days["draft"] is None
    assert days["submitted"].startswith(get_day(200))


@pytest.mark.parametrize("days_ago", [-2, 732])
def test_a_day_in_the_future_or_too_long_ago_is_refused(shared_api, days_ago):
    answer = shared_api.practice.post("/v1/referrals", build_referral_body(referred_on=get_day(days_ago)))

    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, "/referred_on")
    assert get_day(days_ago) not in answer.text


def test_a_draft_can_change_the_day(shared_api):
    draft = shared_api.refer(submit=False, referred_on=get_day(200))
    path = f"/v1/referrals/{draft['referral_id']}"

    answer = shared_api.practice.patch(path, {"referred_on": get_day(100)}, version=draft["version"])

    assert answer.json["referred_on"] == get_day(100)
    cleared = shared_api.practice.patch(path, {"referred_on": None}, version=answer.json["version"])
    assert cleared.json["referred_on"] is None


def test_a_submitted_referral_keeps_the_day(shared_api, referral_id):
    path = f"/v1/referrals/{referral_id}"
    version = shared_api.practice.get(path).json["version"]

    answer = shared_api.practice.patch(path, {"referred_on": get_day(100)}, version=version)

    assert (answer.status, answer.json["code"]) == (409, "not_editable")
    assert answer.json["errors"][0]["pointer"] == "/referred_on"


def test_a_draft_that_is_submitted_later_keeps_the_day(shared_api):
    draft = shared_api.refer(submit=False, referred_on=get_day(200))
    submitted = {
        "type": "stage.changed",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"stage": "submitted"},
    }
    answer = shared_api.practice.post(f"/v1/referrals/{draft['referral_id']}/events", submitted)
    assert answer.status == 200, answer.text

    report_to_infused(shared_api, draft["referral_id"], infused_days_ago=20)
    assert read(shared_api, draft["referral_id"])["window"]["infused_on"] == get_day(20)
