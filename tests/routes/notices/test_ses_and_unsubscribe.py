"""Events that Amazon SNS sends about our emails, and forged ones."""

import json
from datetime import timedelta
from functools import cache

import pytest
from cryptography.hazmat.primitives.hashes import SHA1

from chalicelib import fetching, wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from tests.support import aws_fakes as cloud
from tests.support import sns_sender as posting
from tests.support import stores as store_tools
from tests.support.aws_fakes import TOPIC
from tests.support.factories import CENTER, build_member

PATH = "/v1/mail-events"
COORDINATOR = build_member(CENTER)
OTHER_TOPIC = "arn:aws:sns:us-east-1:210987654321:cart-mail-events"
SNS = "https://sns.us-east-1.amazonaws.com"
CERTIFICATE = f"{SNS}/SimpleNotificationService-0123abcd.pem"
FOREIGN = [
    "https://evil.example/SimpleNotificationService-0123abcd.pem",
    "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abcd.pem",
    "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-0123abcd.pem",
    "https://sns.us-east-1.amazonaws.com@evil.example/SimpleNotificationService-0123abcd.pem",
    "https://sns.us-east-1.amazonaws.com:8443/SimpleNotificationService-0123abcd.pem",
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abcd.pem",
    "https://sns.us-east-1.amazonaws.com/elsewhere/SimpleNotificationService-0123abcd.pem",
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abcd.pem?x=1",
    "https://169.254.169.254/SimpleNotificationService-0123abcd.pem",
    "https://SNS.us-east-1.amazonaws.com\\@evil.example/SimpleNotificationService-0123abcd.pem",
    "file:///etc/passwd",
    "",
]
"""Where no certificate of Amazon SNS for our topic is."""


@pytest.fixture
def fetched_urls():
    """The addresses that were requested."""
    return []


@pytest.fixture
def api_with_mail(shared_api, monkeypatch, fetched_urls):
    """An API with a topic for email events; the last email was sent just now."""
    verifier = posting.build_verifier(fetched_urls)
    monkeypatch.setattr(wiring, "get_sns_verifier", cache(lambda: verifier))
    if not cloud.list_sent_mail():
        send_another_mail(shared_api)
    return shared_api


def send_another_mail(world):
    """Send one more email to the center, about one more patient."""
    world.refer()
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())


def mail_id(to=COORDINATOR):
    """The id of the last email to a member of the center."""
    rows = [row for row in store_tools.list_mail_rows() if row["member_id"] == to.member_id]
    return max(rows, key=lambda row: row["planned_for"])["outbox_id"]


def post_message(clinic, body):
    """Post as SNS does."""
    return clinic.anyone.send("POST", PATH, body, headers={"Content-Type": "text/plain; charset=UTF-8"})


def read_mail_state(clinic):
    """Return the state of the newest notice's email, as the center's coordinator sees it."""
    return clinic.center.get("/v1/notices").json["items"][0]["mail"]["state"]


def build_delivered(**changed):
    """Build a genuine delivery event, with some changes."""
    now = wiring.read_clock()
    return posting.build_message(posting.build_ses_event("Delivery", mail_id(), at=now), **({"at": now} | changed))


def test_a_delivered_email_shows_in_the_dashboard(api_with_mail):
    """From sent to delivered, in the recipient's own list."""
    send_another_mail(api_with_mail)
    before = read_mail_state(api_with_mail)

    answer = post_message(api_with_mail, build_delivered())

    assert (before, answer.status, read_mail_state(api_with_mail)) == ("sent", 204, "delivered")


def test_the_certificate_is_requested_once(api_with_mail, fetched_urls):
    """It is cached by its address at Amazon SNS."""
    post_message(api_with_mail, build_delivered())
    post_message(api_with_mail, build_delivered())

    assert fetched_urls == [posting.CERTIFICATE]


def test_a_replayed_message_changes_nothing(api_with_mail):
    """The very same bytes, any number of times."""
    body = build_delivered()
    post_message(api_with_mail, body)
    before = store_tools.dump_tables()

    assert [post_message(api_with_mail, body).status for _ in range(3)] == [204] * 3
    assert store_tools.dump_tables() == before


def change_message(**changed):
    """Change a genuine message after it was signed."""
    return json.dumps(json.loads(build_delivered()) | changed).encode()


FORGED = {
    "another key": lambda: build_delivered(signed_by="somebody"),
    "SHA-1": lambda: build_delivered(hashed_by=SHA1()),  # noqa: S303 it is to be refused
    "version 1": lambda: build_delivered(SignatureVersion="1"),
    "another topic": lambda: build_delivered(TopicArn=OTHER_TOPIC),
    "old": lambda: build_delivered(at=wiring.read_clock() - timedelta(hours=2)),
    "to come": lambda: build_delivered(at=wiring.read_clock() + timedelta(hours=1)),
    "altered": lambda: build_delivered().replace(b"Delivery", b"Bounce"),
    "a subject added": lambda: change_message(Subject="x"),
    "no base64": lambda: change_message(Signature="????"),
    "no text": lambda: change_message(Message=7),
    "nothing": lambda: b"{}",
    "a list": lambda: b"[]",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_message_that_our_topic_did_not_sign_is_refused(api_with_mail, forge):
    """All with the same response, and nothing of it is stored."""
    before = store_tools.dump_tables()

    answer = post_message(api_with_mail, forge())

    assert (answer.status, answer.json["code"]) == (401, "unauthenticated")
    assert store_tools.dump_tables() == before


@pytest.mark.parametrize("address", FOREIGN)
def test_no_certificate_is_requested_elsewhere(api_with_mail, fetched_urls, address):
    """The address is in the message, so anyone could write one there."""
    answer = post_message(api_with_mail, build_delivered(SigningCertURL=address))

    assert (answer.status, fetched_urls) == (401, [])


def test_a_subscription_to_our_topic_is_confirmed(api_with_mail, fetched_urls):
    """By the address that Amazon SNS gave, after its signature was verified."""
    answer = post_message(api_with_mail, posting.build_subscription(at=wiring.read_clock()))

    assert answer.status == 204
    assert fetched_urls == [posting.CERTIFICATE, posting.CONFIRMATION]


@pytest.mark.parametrize(
    "address",
    [
        "https://169.254.169.254/latest/meta-data/",
        "https://evil.example/?Action=ConfirmSubscription&Token=t",
        f"{SNS}/?Action=DeleteTopic&Token=t",
        f"{SNS}:443/?Action=ConfirmSubscription&Token=t",
        "http://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=t",
    ],
)
def test_no_other_host_is_requested_to_confirm(api_with_mail, fetched_urls, address):
    """Even if it was signed: no address in a message leads to another host."""
    answer = post_message(api_with_mail, posting.build_subscription(at=wiring.read_clock(), SubscribeURL=address))

    assert (answer.status, fetched_urls) == (401, [posting.CERTIFICATE])


def test_a_subscription_that_ended_is_not_renewed(api_with_mail, fetched_urls):
    """A person has to look at it; the address to resubscribe is not followed."""
    answer = post_message(
        api_with_mail, posting.build_subscription(at=wiring.read_clock(), Type="UnsubscribeConfirmation")
    )

    assert (answer.status, fetched_urls) == (204, [posting.CERTIFICATE])


@pytest.mark.parametrize(
    "message",
    [
        "Successfully validated SNS topic for Amazon SES event publishing.",
        {"eventType": "Open", "mail": {}},
        posting.build_ses_event("Delivery", "mail_of_nobody", at=wiring.read_clock()),
        "[" * 20 + "]" * 20,
    ],
    ids=["the test of SES", "not asked for", "of no mail of ours", "deep"],
)
def test_other_events_are_ignored(api_with_mail, message):
    """They are genuine, and no reason to have them sent again."""
    before = store_tools.dump_tables()

    assert post_message(api_with_mail, posting.build_message(message, at=wiring.read_clock())).status == 204
    assert store_tools.dump_tables() == before


def test_an_unavailable_certificate_is_requested_again(api_with_mail, monkeypatch):
    """SNS is asked to send the message again."""

    def no_one(_address):
        raise ConnectionError

    verifier = posting.build_verifier(fetch=no_one)
    monkeypatch.setattr(wiring, "get_sns_verifier", cache(lambda: verifier))

    assert post_message(api_with_mail, build_delivered()).status == 503


def test_without_a_topic_every_message_is_refused(api_with_mail, monkeypatch):
    """The setting is empty, and so is the allow-list."""
    verifier = posting.build_verifier(topic="")
    monkeypatch.setattr(wiring, "get_sns_verifier", cache(lambda: verifier))

    assert post_message(api_with_mail, build_delivered(TopicArn="")).status == 401
    assert post_message(api_with_mail, build_delivered(TopicArn=TOPIC)).status == 401


def test_a_hard_bounce_shows_in_the_dashboard(api_with_mail):
    """Reported three times: one flag, which stays as it was."""
    now = wiring.read_clock()
    clinician = api_with_mail.members["clinician"]
    site = api_with_mail.get_client_for(clinician)
    lost = mail_id(to=clinician)
    body = posting.build_message(posting.build_hard_bounce(lost, at=now, to=clinician.email), at=now)

    answers = [post_message(api_with_mail, body).status for _ in range(3)]

    problem = site.get("/v1/me").json["mail_problem"]
    assert answers == [204] * 3
    assert problem["reason"] == "bounced"
    assert site.get("/v1/notices").json["items"][0]["mail"]["state"] == "bounced"
    assert api_with_mail.practice.get("/v1/me").json["mail_problem"] is None


class OtherHost:
    """A host that answers with a status, and records its requests."""

    def __init__(self, status):
        self.status = status
        self.asked = []

    def __call__(self, host, *, timeout):
        assert 0 < timeout <= fetching.KEYS_TIMEOUT_S
        self.asked.append(host)
        return self

    def request(self, method, path):
        self.asked.append(f"{method} {path}")

    def getresponse(self):
        return self

    def read(self, most):
        return b"x" * most

    def close(self):
        self.asked.append("closed")


def test_a_fetch_has_limits_of_time_and_size(monkeypatch, settings_env):
    """And goes to the named host only."""
    host = OtherHost(200)
    monkeypatch.setattr("http.client.HTTPSConnection", host)

    fetched = wiring.get_sns_verifier().fetch(posting.CONFIRMATION)

    assert len(fetched) == fetching.MAX_FETCHED_BYTES
    _, asked, closed = host.asked
    assert asked == f"GET {posting.CONFIRMATION.removeprefix(SNS)}"
    assert closed == "closed"


@pytest.mark.parametrize("status", [301, 302, 307, 404, 500])
def test_no_redirect_is_followed(monkeypatch, settings_env, status):
    """A redirect counts as not found."""
    host = OtherHost(status)
    monkeypatch.setattr("http.client.HTTPSConnection", host)

    with pytest.raises(OSError, match=f"responded with {status}"):
        wiring.get_sns_verifier().fetch(posting.CERTIFICATE)
    assert host.asked[0] == "sns.us-east-1.amazonaws.com"
    assert len(host.asked) == 3
