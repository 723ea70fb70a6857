"""Centers whose clock is slow, that send dates without times, and that repeat the current status every night."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from tests.support.api_driver import STAGES_TO_INFUSED


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was just submitted."""
    return shared_api.refer()["referral_id"]


def ago(**how):
    return (wiring.read_clock() - timedelta(**how)).isoformat()


@pytest.mark.parametrize("how", [{"minutes": 5}, {"hours": 23}, {"days": 3}])
def test_a_response_to_the_submission_follows_it_whatever_the_centers_clock_says(shared_api, referral_id, how):
    """J20: it is dated before the submission, which cannot be."""
    answer = shared_api.deliver(referral_id, "accepted", at=ago(**how))

    assert (answer.status, answer.json["status"], answer.json["stage"]) == (200, "applied", "accepted")


def test_all_steps_of_a_center_with_a_slow_clock_apply(shared_api, referral_id):
    """Five minutes behind, from the receipt to the infusion."""
    statuses = []
    for n, stage in enumerate(STAGES_TO_INFUSED):
        at = (wiring.read_clock() - timedelta(minutes=5) + timedelta(seconds=n)).isoformat()
        statuses.append(shared_api.deliver(referral_id, stage, at=at).json["status"])

    assert set(statuses) == {"applied"}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_steps_of_one_day_without_times_apply_in_every_order(shared_api, referral_id, order):
    """J20: midnight at the center means the whole day."""
    today = wiring.read_clock().astimezone().replace(hour=0, minute=0, second=0, microsecond=0).isoformat()
    stages = ("received", "accepted", "consult_scheduled")
    for n in order:
        shared_api.deliver(referral_id, stages[n], at=today)

    assert shared_api.get_stage(referral_id) == "consult_scheduled"


def test_a_day_without_a_time_may_follow_a_step_of_that_day(shared_api, referral_id):
    """The consultation has a time, the decision of the same day does not."""
    midnight = wiring.read_clock().replace(hour=0, minute=0, second=0, microsecond=0)
    shared_api.move_to(referral_id, "received", "accepted", "consult_scheduled", "consult_completed")

    answer = shared_api.deliver(referral_id, "center_proceed", at=midnight.isoformat())

    assert (answer.json["status"], answer.json["stage"]) == ("applied", "center_proceed")


@pytest.mark.parametrize("count", range(1, len(STAGES_TO_INFUSED) + 1))
def test_the_current_status_again_every_night_is_recorded(shared_api, referral_id, count):
    """J21: in every status, under a new id; nothing is missing, and no one is notified."""
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED[:count])
    before = shared_api.practice.get(f"/v1/referrals/{referral_id}").json

    answer = shared_api.deliver(referral_id, STAGES_TO_INFUSED[count - 1])

    after = shared_api.practice.get(f"/v1/referrals/{referral_id}").json
    assert (answer.status, answer.json["status"]) == (200, "recorded")
    assert (after["stage"], after["stage_since"], after["missing_updates"]) == (
        before["stage"],
        before["stage_since"],
        [],
    )
