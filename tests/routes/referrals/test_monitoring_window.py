"""The window's own route: what is scheduled, what was sent, and what was skipped and why."""

from datetime import timedelta

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from tests.support.api_driver import STAGES_TO_INFUSED


def read_window(site, referral_id):
    """Read the window as a client."""
    return site.get(f"/v1/referrals/{referral_id}/window").json


def create_infused(world, **changed):
    """Create a referral after its infusion."""
    referral_id = world.refer(**changed)["referral_id"]
    world.move_to(referral_id, *STAGES_TO_INFUSED)
    return referral_id


def test_a_plan_is_read_before_its_first_day(shared_api):
    """Earliest first, to the fifteenth year, each with its day and its sides."""
    result = read_window(shared_api.practice, create_infused(shared_api))["notices"]

    assert len(result) == 28
    assert {notice["state"] for notice in result} == {"planned"}
    assert {notice["why"] for notice in result} == {None}
    assert [n["due_on"] for n in result] == sorted(n["due_on"] for n in result)
    sides = {
        "window_opened": ["center"],
        "first_day": ["practice"],
        "handback_overdue_3": ["practice", "center"],
        "visit_day_90": ["practice"],
        "visit_day_100": ["practice", "center"],
    }
    assert {n["rule"]: n["sides"] for n in result if n["rule"] in sides} == sides


def test_a_plan_shows_what_was_sent_and_what_was_skipped_and_why(shared_api):
    """Day 7 was sent, day 14 was in a hold, day 30 is still to come."""
    referral_id = create_infused(shared_api)
    now = wiring.read_clock()
    run_job(TaskQueue.PLAN, context=wiring.build_job_context(now + timedelta(days=8)))
    hold = {"type": "hold.started", "occurred_at": now.isoformat(), "data": {}}
    shared_api.center.post(f"/v1/referrals/{referral_id}/events", hold)
    run_job(TaskQueue.PLAN, context=wiring.build_job_context(now + timedelta(days=15)))

    result = {n.pop("rule"): n for n in read_window(shared_api.center, referral_id)["notices"]}

    assert result["daily_monitoring_ends"]["state"] == "told"
    assert result["label_minimum_ends"] == {
        "title": "Label minimum for monitoring ends today; the center may extend it",
        "due_on": result["label_minimum_ends"]["due_on"],
        "sides": ["practice", "center"],
        "state": "skipped",
        "why": "on_hold",
    }
    assert (result["visit_day_30"]["state"], result["visit_day_30"]["why"]) == ("planned", "on_hold")


def test_a_window_lists_the_labels_late_effects(shared_api):
    """Where the catalog has some; weeks later no one reads the label again."""
    late = [
        len(read_window(shared_api.practice, create_infused(shared_api, product_id=product_id))["late_effects"])
        for product_id in ("carvykti", "breyanzi")
    ]

    assert late == [3, 0]


def test_a_split_dose_has_the_day_of_its_second_infusion(shared_api):
    """Day 10 by the label, whose first day is our day 0."""
    window = read_window(shared_api.practice, create_infused(shared_api, product_id="aucatzyl"))

    days = {m["kind"]: m["day"] for m in window["milestones"]}

    assert days == {
        "infusion": 0,
        "second_part_due": 9,
        "daily_monitoring_ends": 14,
        "handback_near": 21,
        "label_minimum_ends": 28,
        "proximity_minimum_ends": 28,
        "handback_target": 28,
        "driving_minimum_ends": 56,
    }


def report_now(world, referral_id, stage, **data):
    """Report a stage now, as the practice does."""
    body = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": stage, **data}}
    assert world.practice.post(f"/v1/referrals/{referral_id}/events", body).status == 200


def list_days_ahead(world, referral_id, side="practice"):
    """The days of the window and of the follow-up that come after today, in any time zone."""
    site = getattr(world, side)
    tomorrow = (wiring.read_clock() + timedelta(days=2)).date().isoformat()
    milestones = [milestone["on"] for milestone in read_window(site, referral_id)["milestones"]]
    follow_up = [item["date"] for item in site.get(f"/v1/referrals/{referral_id}/follow-up").json["items"]]
    return sorted(day for day in (*milestones, *follow_up) if day >= tomorrow)


def test_after_a_death_no_day_of_the_window_or_the_follow_up_lies_ahead(shared_api):
    """No one is shown the next visit of a patient who died."""
    referral_id = create_infused(shared_api)
    assert list_days_ahead(shared_api, referral_id) != []

    report_now(shared_api, referral_id, "deceased", reason_code="death_after_treatment")

    assert list_days_ahead(shared_api, referral_id) == []
    assert list_days_ahead(shared_api, referral_id, "center") == []
    assert read_window(shared_api.practice, referral_id)["ended_on"] is not None


def test_after_another_ending_the_days_stay_and_the_window_says_when_it_ended(shared_api):
    """The patient lives on, with the same label periods."""
    referral_id = create_infused(shared_api)
    shared_api.move_to(referral_id, "monitoring", "window_complete", "handback_ready")
    report_now(shared_api, referral_id, "handed_back")
    before = list_days_ahead(shared_api, referral_id)
    assert read_window(shared_api.practice, referral_id)["ended_on"] is None

    report_now(shared_api, referral_id, "lost_to_follow_up")

    assert list_days_ahead(shared_api, referral_id) == before
    assert read_window(shared_api.practice, referral_id)["ended_on"] is not None
