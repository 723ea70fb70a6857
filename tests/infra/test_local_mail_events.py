"""The mail events of a local run. The product accepts them only from the local run itself."""

import json

import pytest
from cryptography.x509 import load_pem_x509_certificate

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from infra.local import mail_events
from infra.local.mail_events import MailEventReporter, TopicSigner
from infra.local.mailbox import SentMailbox
from tests.support import aws_fakes, sns_sender

PATH = "/v1/mail-events"


@pytest.fixture(scope="module")
def signer():
    """The signing key of one run."""
    return TopicSigner()


@pytest.fixture
def mail_reporter(api, monkeypatch, tmp_path, signer):
    """A reporter of mail events that reports when the test calls it, and the list of response statuses."""
    monkeypatch.setattr(wiring, "get_sns_verifier", wiring.get_sns_verifier)  # Restored after the test.
    monkeypatch.setenv("MAIL_TOPIC", mail_events.TOPIC)
    wiring.get_settings.cache_clear()
    mail_events.trust_signer(signer)
    statuses = []

    def post(body):
        statuses.append(api.anyone.send("POST", PATH, body).status)

    yield MailEventReporter(SentMailbox(tmp_path / "mail.jsonl"), signer, post), statuses
    wiring.get_settings.cache_clear()


def record_mail(record, address, tags):
    """Record a mail as the local cloud does."""
    texts = dict.fromkeys(("subject", "text", "html"), "x") | {"sent_at": "2026-11-02T12:00:00+00:00"}
    lists: dict[str, list[str]] = {key: [] for key in ("cc", "bcc", "reply_to", "headers")}
    mail = {"mail_id": "m-1", "from": "notices@clinic.example", "to": [address], "tags": tags, **texts, **lists}
    with record.open("a") as file:
        file.write(json.dumps(mail) + "\n")


def send_mail_to_center(api):
    """Send a mail to the coordinator of the center, and return its ID."""
    api.refer()
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    member_id = api.members["center"].member_id
    [notice], _ = api.stores.notices.list_page(member_id, limit=1, start=None)
    return notice.mail_id


@pytest.mark.parametrize(
    ("address", "state"), [("ana@center.example", "delivered"), ("bounce-1@center.example", "bounced")]
)
def test_the_address_decides_whether_a_mail_is_delivered_or_bounces(api, mail_reporter, tmp_path, address, state):
    """The reporter posts one event for each new mail to the product's API."""
    reporter, statuses = mail_reporter
    record_mail(tmp_path / "mail.jsonl", address, {"mail_id": send_mail_to_center(api)})

    reporter.report_new()
    reporter.report_new()

    assert statuses == [204]
    [notice] = api.center.get("/v1/notices").json["items"]
    assert notice["mail"]["state"] == state


def test_mail_without_the_products_tag_is_not_reported(mail_reporter, tmp_path):
    reporter, statuses = mail_reporter
    record_mail(tmp_path / "mail.jsonl", "ana@center.example", {})

    reporter.report_new()

    assert statuses == []


def test_a_failed_post_is_retried_a_limited_number_of_times(mail_reporter, tmp_path, signer):
    """After that, the mail keeps the status sent."""
    attempts = []

    def fail(body):
        attempts.append(body)
        raise ConnectionError

    record_mail(tmp_path / "mail.jsonl", "ana@center.example", {"mail_id": "mail_1"})
    reporter = MailEventReporter(SentMailbox(tmp_path / "mail.jsonl"), signer, fail)
    reporter.stop()
    reporter.report_new()

    assert len(attempts) == mail_events.MAX_ATTEMPTS


@pytest.mark.parametrize(("different", "status"), [("key", 401), ("topic", 401), ("certificate", 503)])
def test_a_post_with_a_different_key_topic_or_certificate_is_rejected(api, mail_reporter, signer, different, status):
    """The product is as strict as in production."""
    now = wiring.read_clock()
    event = sns_sender.build_ses_event("Delivery", "mail_1", at=now)
    message = json.loads((TopicSigner() if different == "key" else signer).build_notification(event, at=now))
    if different == "topic":
        message["TopicArn"] = aws_fakes.TOPIC
    if different == "certificate":
        message["SigningCertURL"] = sns_sender.CERTIFICATE

    response = api.anyone.send("POST", PATH, json.dumps(message).encode())

    assert response.status == status


def test_a_certificate_is_valid_for_longer_than_a_run(signer):
    """It is also valid some time before the run, in case clocks differ."""
    certificate = load_pem_x509_certificate(signer.create_certificate())

    assert certificate.not_valid_before_utc < wiring.read_clock() < certificate.not_valid_after_utc
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days > 365
