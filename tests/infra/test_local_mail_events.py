"""What becomes of mail in a local run, and that only a local run's own word is believed."""

import json

import pytest
from cryptography.x509 import load_pem_x509_certificate

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from infra.local import reports
from infra.local.mailbox import SentMailbox
from infra.local.reports import MailEventReporter, TopicSigner
from tests.support import aws_fakes as cloud
from tests.support import sns_sender as posting

PATH = "/v1/mail-events"


@pytest.fixture(scope="module")
def signer():
    """The key of one run."""
    return TopicSigner()


@pytest.fixture
def mail_reporter(api, monkeypatch, tmp_path, signer):
    """The clinic with reports of its mail, which tell when they are asked to."""
    monkeypatch.setattr(wiring, "get_sns_verifier", wiring.get_sns_verifier)  # Put back when the test is over.
    monkeypatch.setenv("MAIL_TOPIC", reports.TOPIC)
    wiring.get_settings.cache_clear()
    reports.trust_signer(signer)
    taken = []

    def post(told):
        taken.append(api.anyone.send("POST", PATH, told).status)

    yield MailEventReporter(SentMailbox(tmp_path / "mail.jsonl"), signer, post), taken
    wiring.get_settings.cache_clear()


def mail(record, address, tags):
    """Write down a mail as the local cloud does."""
    told = {"mail_id": "m-1", "from": "notices@clinic.example", "to": [address], "tags": tags}
    with record.open("a") as file:
        file.write(json.dumps(told) + "\n")


def mail_the_center(clinic):
    """Send a mail to the coordinator of the center; its id."""
    clinic.refer()
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    member_id = clinic.members["center"].member_id
    [notice], _ = clinic.stores.notices.list_page(member_id, limit=1, start=None)
    return notice.mail_id


@pytest.mark.parametrize(
    ("name", "state"), [("ana@center.example", "delivered"), ("bounce-1@center.example", "bounced")]
)
def test_a_mail_ends_as_its_address_says(api, mail_reporter, tmp_path, name, state):
    """Through the product's own door, for a new mail and once."""
    told, taken = mail_reporter
    mail(tmp_path / "mail.jsonl", name, {"mail_id": mail_the_center(api)})

    told.report_new()
    told.report_new()

    assert taken == [204]
    [notice] = api.center.get("/v1/notices").json["items"]
    assert notice["mail"]["state"] == state


def test_mail_that_is_none_of_ours_is_told_nothing_of(mail_reporter, tmp_path):
    """It has no tag by which the product would know it."""
    told, taken = mail_reporter
    mail(tmp_path / "mail.jsonl", "ana@center.example", {})

    told.report_new()

    assert taken == []


def test_a_post_that_is_not_taken_is_posted_again(mail_reporter, tmp_path, signer):
    """A few times; then the mail stays as sent."""
    tried = []

    def refuse(told):
        tried.append(told)
        raise ConnectionError

    mail(tmp_path / "mail.jsonl", "ana@center.example", {"mail_id": "mail_1"})
    refused = MailEventReporter(SentMailbox(tmp_path / "mail.jsonl"), signer, refuse)
    refused.stop()
    refused.report_new()

    assert len(tried) == reports.TRIES


@pytest.mark.parametrize("other", ["key", "topic", "certificate"])
def test_nobody_else_is_believed(api, mail_reporter, signer, other):
    """Another key, another topic, or a certificate from elsewhere: the product is as strict."""
    now = wiring.read_clock()
    event = posting.build_ses_event("Delivery", "mail_1", at=now)
    told = json.loads((TopicSigner() if other == "key" else signer).build_notification(event, at=now))
    if other == "topic":
        told["TopicArn"] = cloud.TOPIC
    if other == "certificate":
        told["SigningCertURL"] = posting.CERTIFICATE

    answer = api.anyone.send("POST", PATH, json.dumps(told).encode())

    assert answer.status == (503 if other == "certificate" else 401)


def test_a_certificate_lasts_longer_than_a_run(signer):
    """And begins before it, where clocks differ."""
    made = load_pem_x509_certificate(signer.create_certificate())

    assert made.not_valid_before_utc < wiring.read_clock() < made.not_valid_after_utc
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days > 365
