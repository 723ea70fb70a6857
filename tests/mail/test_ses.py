"""How an email is handed to Amazon SES."""

from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP

import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from chalicelib.errors import UnavailableError
from chalicelib.mail import MailMessage
from chalicelib.mail.invitation import CalendarPart
from chalicelib.mail.ses import SesMailer

MESSAGE = MailMessage(to="coordinator@cedar.example", subject="S\u00fcbject", text="Text", html="<p>")


class FakeSes:
    """An SES client that keeps the requests, and fails with `failure` if there is one."""

    def __init__(self, failure=None):
        self.failure = failure
        self.requests = []

    def send_email(self, **request):
        self.requests.append(request)
        if self.failure:
            raise self.failure
        return {"MessageId": "id-1"}


def build_mailer(ses, configuration_set=""):
    return SesMailer(client=lambda: ses, sender="notices@dashboard.example", configuration_set=configuration_set)


def test_an_email_goes_to_one_recipient_from_one_address():
    """No copy, no reply address, no header of ours: exactly what is listed here."""
    ses = FakeSes()

    message_id = build_mailer(ses).send(MESSAGE, tag="mail_1")

    assert message_id == "id-1"
    assert ses.requests == [
        {
            "FromEmailAddress": "notices@dashboard.example",
            "Destination": {"ToAddresses": ["coordinator@cedar.example"]},
            "Content": {
                "Simple": {
                    "Subject": {"Data": "S\u00fcbject", "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": "Text", "Charset": "UTF-8"}, "Html": {"Data": "<p>", "Charset": "UTF-8"}},
                }
            },
            "EmailTags": [{"Name": "mail_id", "Value": "mail_1"}],
        }
    ]


def test_an_optional_email_has_unsubscribe_headers():
    """Email programs turn them into a button that posts to our address in one click (RFC 8058)."""
    ses = FakeSes()

    build_mailer(ses).send(replace(MESSAGE, unsubscribe="https://d.example/u/1"), tag="mail_1")

    assert ses.requests[0]["Content"]["Simple"]["Headers"] == [
        {"Name": "List-Unsubscribe", "Value": "<https://d.example/u/1>"},
        {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
    ]


def test_the_request_matches_the_service_model_of_ses():
    """Amazon's own description of the call accepts a header, a tag and a configuration set."""
    client = botocore.session.get_session().create_client("sesv2", region_name="us-east-1")
    with Stubber(client) as stubber:
        stubber.add_response("send_email", {"MessageId": "id-1"})
        message = replace(MESSAGE, unsubscribe="https://d.example/u/1")

        assert build_mailer(client, "members").send(message, tag="mail_1") == "id-1"


def test_an_invitation_is_sent_as_a_message_of_our_own():
    """With the same sender, recipient and tag; only so can it have a calendar part."""
    ses = FakeSes()
    calendar = CalendarPart(text="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", method="REQUEST")

    build_mailer(ses).send(replace(MESSAGE, calendar=calendar, unsubscribe="https://d.example/u/1"), tag="mail_1")

    (request,) = ses.requests
    raw = message_from_bytes(request["Content"]["Raw"]["Data"], policy=SMTP)
    assert list(request["Content"]) == ["Raw"]
    assert request["Destination"] == {"ToAddresses": ["coordinator@cedar.example"]}
    assert (raw["From"], raw["To"], raw["Subject"]) == (
        "notices@dashboard.example",
        "coordinator@cedar.example",
        "S\u00fcbject",
    )
    assert raw["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_configuration_set_is_part_of_the_request():
    """It decides which SES events are published, and that nothing is tracked."""
    ses = FakeSes()

    build_mailer(ses, "members").send(MESSAGE, tag="mail_1")

    assert ses.requests[0]["ConfigurationSetName"] == "members"


@pytest.mark.parametrize(
    "failure",
    [
        *(
            ClientError({"Error": {"Code": code, "Message": "x"}}, "SendEmail")
            for code in (
                "AccountSuspendedException",
                "LimitExceededException",
                "MailFromDomainNotVerifiedException",
                "SendingPausedException",
                "ThrottlingException",
                "TooManyRequestsException",
            )
        ),
        EndpointConnectionError(endpoint_url="https://email.example"),
    ],
    ids=lambda failure: failure.response["Error"]["Code"] if isinstance(failure, ClientError) else "NoConnection",
)
def test_a_temporary_ses_failure_is_an_unavailable_error(failure):
    """The caller tries again later."""
    with pytest.raises(UnavailableError):
        build_mailer(FakeSes(failure)).send(MESSAGE, tag="mail_1")


def test_a_rejection_by_ses_stays_an_error():
    """A retry does not help if the sender address is not verified."""
    failure = ClientError({"Error": {"Code": "MessageRejected", "Message": "x"}}, "SendEmail")

    with pytest.raises(ClientError):
        build_mailer(FakeSes(failure)).send(MESSAGE, tag="mail_1")
