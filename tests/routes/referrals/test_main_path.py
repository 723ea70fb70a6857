"""The main path through the API, on tables made from the template."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import process_queue
from tests.support import aws_fakes as cloud
from tests.support.api_driver import STAGES_TO_INFUSED, ApiDriver
from tests.support.factories import CENTER


def test_a_referral_goes_from_submission_to_infusion(api: ApiDriver):
    """A center's deliveries move a submitted referral along the whole main path."""
    referral_id = api.refer()["referral_id"]

    api.move_to(referral_id, *STAGES_TO_INFUSED)

    assert api.get_stage(referral_id) == "infused"
    timeline = api.practice.get(f"/v1/referrals/{referral_id}/events?limit=100").json["items"]
    assert [event["stage"] for event in reversed(timeline)] == ["submitted", *STAGES_TO_INFUSED]


def test_an_infusion_opens_the_window_in_the_centers_zone(api: ApiDriver):
    """23:30 in New York belongs to that evening's day, whatever the day is in UTC."""
    referral_id = api.refer()["referral_id"]
    api.move_to(referral_id, *STAGES_TO_INFUSED)

    window = api.practice.get(f"/v1/referrals/{referral_id}/window").json

    assert window["time_zone"] == "America/New_York"
    assert window["ends_on"] > window["infused_on"]


def test_the_notice_of_day_7_is_emailed_once(api: ApiDriver):
    """A second run of the job sends nothing twice."""
    referral_id = api.refer()["referral_id"]
    api.move_to(referral_id, *STAGES_TO_INFUSED)
    # Emails about a day come at 7 AM. At this hour it is after that for both sides.
    day_7 = datetime.now(ZoneInfo(CENTER.time_zone)).replace(hour=13) + timedelta(days=7)

    first = process_queue(TaskQueue.PLAN, context=wiring.build_job_context(day_7))
    second = process_queue(TaskQueue.PLAN, context=wiring.build_job_context(day_7))

    # One for each side: the center's holds its notices of day 0 and of day 7.
    assert first["mails"] == 2
    assert second["mails"] == 0
    assert len(cloud.list_sent_mail()) == 2
