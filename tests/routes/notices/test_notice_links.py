"""The link in an email: an opaque id of a notice, which only its reader can open."""

import re

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from tests.support import aws_fakes as cloud

REQUEST_ID = {"X-Request-Id": "one-request-id-for-all"}
LINK = re.compile(r"/#/notices/(ntc_[0-9T]+_[a-z2-7]{26})")


@pytest.fixture(scope="module")
def mailed_referral_id(shared_api):
    """The id of a referral about which both sides were emailed."""
    referral_id = shared_api.refer(patient__alias="Linked Heron")["referral_id"]
    shared_api.move_to(referral_id, "accepted")
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    return referral_id


def read_mails(world, handle):
    """Read the emails to a member, as one text."""
    address = world.members[handle].email
    mails = [mail for mail in cloud.list_sent_mail() if address in mail.destinations["ToAddresses"]]
    return "".join(f"{mail.subject} {mail.body}" for mail in mails)


def find_notice_id(world, handle):
    """The id in the link of the latest email to a member."""
    return LINK.findall(read_mails(world, handle))[-1]


@pytest.mark.parametrize("handle", ["practice", "center"])
def test_the_link_of_an_email_names_the_readers_own_notice(shared_api, mailed_referral_id, handle):
    """From it, after sign-in, the page knows the referral."""
    site = shared_api.get_client_for(shared_api.members[handle])

    notice = site.get(f"/v1/notices/{find_notice_id(shared_api, handle)}")

    assert notice.status == 200
    assert notice.json["referral_id"] == mailed_referral_id
    assert notice.json["read_at"] is None
    assert notice.json == site.get("/v1/notices").json["items"][0]


def test_an_email_names_no_referral_and_no_organization(shared_api, mailed_referral_id):
    """Only the notice: a person who finds the email learns nothing from its address."""
    text = read_mails(shared_api, "center")

    assert LINK.search(text)
    assert mailed_referral_id not in text
    assert not [name for name in ("ref_", "ctr_", "prc_", "mem_", "out_") if name in text]


@pytest.mark.parametrize("handle", ["center", "provider", "practice_admin", "other_practice", "operator"])
def test_another_persons_notice_looks_like_one_that_does_not_exist(shared_api, mailed_referral_id, handle):
    """To the byte, also for a colleague."""
    theirs = find_notice_id(shared_api, "practice")
    site = shared_api.get_client_for(shared_api.members[handle])

    answers = [
        site.get(f"/v1/notices/{notice_id}", **REQUEST_ID)
        for notice_id in (theirs, "ntc_20260101T000000000000_" + "a" * 26, "ntc_1", "x")
    ]

    assert {answer.status for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
