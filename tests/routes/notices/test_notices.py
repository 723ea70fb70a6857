"""Notices: what each person was notified of, readable by that person alone."""

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from tests.support import aws_fakes as cloud


@pytest.fixture(scope="module")
def notified_referral_id(shared_api):
    """The id of a referral about which the center, then the practice was notified."""
    referral_id = shared_api.refer(patient__alias="Umber Heron")["referral_id"]
    shared_api.move_to(referral_id, "received", "accepted")
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    return referral_id


@pytest.fixture
def fresh_referral_id(shared_api):
    """A new referral about which everyone was just notified."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, "accepted", "consult_scheduled")
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    return referral_id


def notices(site, query="limit=100"):
    return site.get(f"/v1/notices?{query}").json


def about(site, referral_id):
    return [n for n in notices(site)["items"] if n["referral_id"] == referral_id]


def test_a_notice_says_what_happened_to_which_patient(shared_api, notified_referral_id):
    """By the practice's own alias, and with the link to the referral."""
    [notice] = about(shared_api.practice, notified_referral_id)

    assert set(notice) == {
        "notice_id", "rule", "category", "title", "detail", "referral_id", "alias", "created_at", "read_at",
        "mail",
    }  # fmt: skip
    assert notice["title"] == "The center accepted the referral for evaluation"
    assert (notice["rule"], notice["alias"]) == ("stage_changed", "Umber Heron")
    assert notice["read_at"] is None


def test_each_side_is_notified_of_the_other_sides_events(shared_api, notified_referral_id):
    """The center of the submission, the practice of the acceptance; no one of their own."""
    assert [n["title"] for n in about(shared_api.center, notified_referral_id)] == [
        "New referral submitted to your center"
    ]
    assert len(about(shared_api.practice, notified_referral_id)) == 1


def test_everyone_with_clinical_access_is_notified_and_no_one_else(shared_api, notified_referral_id):
    """Colleagues of both sides; no administrator, no other tenant, no disabled member."""
    heard = {
        handle
        for handle, member in shared_api.members.items()
        if member.active and about(shared_api.get_client_for(member), notified_referral_id)
    }

    assert heard == {"practice", "provider", "center", "clinician"}
    recipients = {address for mail in cloud.list_sent_mail() for address in mail.destinations["ToAddresses"]}
    assert shared_api.members["disabled"].email not in recipients
    assert shared_api.members["practice_admin"].email not in recipients


def test_a_notice_is_unread_until_it_is_read(shared_api, fresh_referral_id):
    """The count of a menu, the list and the notice agree, before and after."""
    before = notices(shared_api.practice)["unread"]
    first, second = about(shared_api.practice, fresh_referral_id)
    assert shared_api.practice.get("/v1/me").json["unread_notices"] == before

    answer = shared_api.practice.post(f"/v1/notices/{first['notice_id']}/read", None)

    read_at = {n["notice_id"]: n["read_at"] for n in about(shared_api.practice, fresh_referral_id)}
    assert (answer.status, answer.text) == (204, "")
    assert read_at[first["notice_id"]] is not None
    assert read_at[second["notice_id"]] is None
    assert notices(shared_api.practice)["unread"] == before - 1
    assert shared_api.practice.get("/v1/me").json["unread_notices"] == before - 1


def test_reading_a_notice_again_changes_nothing(shared_api, fresh_referral_id):
    """The first time stays."""
    path = f"/v1/notices/{about(shared_api.practice, fresh_referral_id)[0]['notice_id']}/read"
    shared_api.practice.post(path, None)
    first = about(shared_api.practice, fresh_referral_id)[0]["read_at"]

    again = shared_api.practice.post(path, None)

    assert again.status == 204
    assert about(shared_api.practice, fresh_referral_id)[0]["read_at"] == first


def test_reading_a_notice_marks_no_one_elses(shared_api, fresh_referral_id):
    """Two colleagues were notified; each has their own notice."""
    colleague = shared_api.get_client_for(shared_api.members["provider"])
    mine, theirs = about(shared_api.practice, fresh_referral_id)[0], about(colleague, fresh_referral_id)[0]

    shared_api.practice.post(f"/v1/notices/{mine['notice_id']}/read", None)

    assert mine["notice_id"] != theirs["notice_id"]
    assert about(colleague, fresh_referral_id)[0]["read_at"] is None


@pytest.mark.parametrize("who", ["provider", "center", "other_practice", "operator"])
def test_another_persons_notice_is_the_same_404_as_an_unknown_one(shared_api, fresh_referral_id, who):
    """It cannot be marked, and nothing reveals that it exists."""
    notice_id = about(shared_api.practice, fresh_referral_id)[0]["notice_id"]
    site, same_id = shared_api.get_client_for(shared_api.members[who]), {"X-Request-Id": "one-id-for-both"}
    nobodys = notice_id[:-26] + "a" * 26

    theirs = site.post(f"/v1/notices/{notice_id}/read", None, **same_id)
    none = site.post(f"/v1/notices/{nobodys}/read", None, **same_id)

    assert theirs == none
    assert theirs.status == 404
    assert about(shared_api.practice, fresh_referral_id)[0]["read_at"] is None


@pytest.mark.parametrize("odd", ["x", "ntc_", "NTC_20260101T000000000000_" + "A" * 26, "%00", "..", "a" * 80])
def test_an_impossible_notice_id_is_404(shared_api, odd):
    """Whatever is in the path."""
    assert shared_api.practice.post(f"/v1/notices/{odd}/read", None).status == 404


def test_notices_come_newest_first_in_pages(shared_api, notified_referral_id, fresh_referral_id):
    """By the cursor to the oldest; `unread` counts them all on each page."""
    everything = notices(shared_api.practice)
    seen, query = [], "limit=2"
    for _ in range(20):
        page = notices(shared_api.practice, query)
        assert page["unread"] == everything["unread"]
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        query = f"limit=2&cursor={page['next_cursor']}"

    assert seen == everything["items"]
    assert [n["created_at"] for n in seen] == sorted((n["created_at"] for n in seen), reverse=True)


def test_a_second_run_notifies_no_one_twice(shared_api, fresh_referral_id):
    """Also when the job runs again at once."""
    before, mails = len(about(shared_api.practice, fresh_referral_id)), len(cloud.list_sent_mail())

    run_job(TaskQueue.EVENT, context=wiring.build_job_context())

    assert len(about(shared_api.practice, fresh_referral_id)) == before
    assert len(cloud.list_sent_mail()) == mails
