"""The main job through the front door, on tables made from the template."""

from datetime import UTC, datetime, timedelta

from chalicelib import wiring
from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.services.notices.outbox_worker import work_off
from tests.support import cloud
from tests.support.clinic import TO_INFUSED, Clinic


def test_a_referral_goes_from_submission_to_infusion(clinic: Clinic):
    """A center's deliveries move a submitted referral along the whole main line."""
    referral_id = clinic.refer()["referral_id"]

    clinic.move_to(referral_id, *TO_INFUSED)

    assert clinic.stage_of(referral_id) == "infused"
    timeline = clinic.practice.get(f"/v1/referrals/{referral_id}/events?limit=100").json["items"]
    assert [event["stage"] for event in reversed(timeline)] == ["submitted", *TO_INFUSED]


def test_an_infusion_opens_the_window_in_the_centers_zone(clinic: Clinic):
    """23:30 in New York is that day's evening, whatever the day is in UTC."""
    referral_id = clinic.refer()["referral_id"]
    clinic.move_to(referral_id, *TO_INFUSED)

    window = clinic.practice.get(f"/v1/referrals/{referral_id}/window").json

    assert window["time_zone"] == "America/New_York"
    assert window["ends_on"] > window["infused_on"]


def test_the_notice_of_day_7_is_mailed_once(clinic: Clinic):
    """A second run of the job sends nothing twice."""
    referral_id = clinic.refer()["referral_id"]
    clinic.move_to(referral_id, *TO_INFUSED)
    day_7 = datetime.now(UTC) + timedelta(days=7)

    first = work_off(Lane.PLAN, **wiring.job(day_7))
    second = work_off(Lane.PLAN, **wiring.job(day_7))

    # One for each side: the center's holds its notices of day 0 and of day 7.
    assert first["mails"] == 2
    assert second["mails"] == 0
    assert len(cloud.sent_mail()) == 2
