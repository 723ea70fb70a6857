"""A practice discards a draft: the draft ends as withdrawn, and no center ever learns of it."""

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from tests.routes.referrals.test_amend import path_of
from tests.support.factories import CENTER


@pytest.fixture(scope="module")
def discarded(shared_api):
    """A complete draft with a center that was discarded, after everyone was notified."""
    draft = shared_api.refer(submit=False, center_id=CENTER.tenant_id)
    answer = report(shared_api, draft, "stage.changed", stage="withdrawn", reason_code="draft_discarded")
    assert answer["stage"] == "withdrawn"
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    return draft


def report(shared_api, referral, kind, **data):
    """Report an event as the practice."""
    body = {"type": kind, "occurred_at": wiring.read_clock().isoformat(), "data": data}
    answer = shared_api.practice.post(f"{path_of(referral)}/events", body)
    assert answer.status == 200, answer.text
    return answer.json


def test_a_discarded_draft_says_so(shared_api, discarded):
    """The page does not send the practice to a center that knows nothing."""
    outcome = shared_api.practice.get(path_of(discarded)).json["outcome"]

    assert outcome["label"] == "Draft discarded"
    assert "center for details" not in outcome["next_step"]


def test_the_center_of_a_discarded_draft_has_no_notice_and_no_referral(shared_api, discarded):
    """Not even in its list of closed referrals."""
    notices = shared_api.center.get("/v1/notices?limit=100").json["items"]
    listed = shared_api.center.get("/v1/referrals?limit=100").json["items"]

    assert discarded["referral_id"] not in {each["referral_id"] for each in [*notices, *listed]}
    assert shared_api.center.get(path_of(discarded)).status == 404


def test_the_practice_is_notified_of_a_discarded_draft(shared_api, discarded):
    """A colleague may have worked on it."""
    notices = shared_api.practice.get("/v1/notices?limit=100").json["items"]

    assert discarded["referral_id"] in {notice["referral_id"] for notice in notices}


def test_a_discarded_draft_is_closed_and_no_longer_a_draft(shared_api, discarded):
    """The practice finds it in the list of closed referrals."""
    closed = shared_api.practice.get("/v1/referrals?phase=closed&limit=100").json["items"]
    drafts = shared_api.practice.get("/v1/referrals?stage=draft&limit=100").json["items"]

    assert discarded["referral_id"] in {item["referral_id"] for item in closed}
    assert discarded["referral_id"] not in {item["referral_id"] for item in drafts}


def test_no_one_is_offered_the_reason_of_a_discarded_draft(shared_api):
    """Only the form sends it, so a list of reasons for a withdrawal does not have it."""
    actions = shared_api.practice.get(path_of(shared_api.refer())).json["actions"]

    assert "draft_discarded" not in {reason for action in actions for reason in action["reasons"]}


def test_a_discarded_draft_can_be_reopened(shared_api):
    """It is a draft again, with its entries."""
    draft = shared_api.refer(submit=False)
    report(shared_api, draft, "stage.changed", stage="withdrawn", reason_code="draft_discarded")

    report(shared_api, draft, "referral.reopened", note="It was discarded by mistake.")

    reopened = shared_api.practice.get(path_of(draft)).json
    assert reopened["stage"] == "draft"
    assert reopened["patient"] == draft["patient"]


def test_a_submitted_referral_cannot_be_discarded_as_a_draft(shared_api):
    """A colleague may submit it while the question is open. It stays with the center."""
    submitted = shared_api.refer()
    body = {
        "type": "stage.changed",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"stage": "withdrawn", "reason_code": "draft_discarded"},
    }

    answer = shared_api.practice.post(f"{path_of(submitted)}/events", body)

    assert (answer.status, answer.json["code"]) == (409, "not_a_draft")
    assert shared_api.get_stage(submitted["referral_id"]) == "submitted"
