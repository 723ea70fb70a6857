"""Handing a mail to Amazon SES."""

from dataclasses import replace

import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from chalicelib.errors import UnavailableError
from chalicelib.mail import MailMessage
from chalicelib.mail.ses import SesMailer

MESSAGE = MailMessage(to="coordinator@cedar.example", subject="S\u00fcbject", text="Text", html="<p>")


class Ses:
    """A mail service that keeps what it is asked, and fails if it is told to."""

    def __init__(self, failure=None):
        self.failure = failure
        self.asked = []

    def send_email(self, **request):
        self.asked.append(request)
        if self.failure:
            raise self.failure
        return {"MessageId": "id-1"}


def mailer(ses, configuration_set=""):
    return SesMailer(client=lambda: ses, sender="notices@dashboard.example", configuration_set=configuration_set)


def test_a_mail_goes_to_one_person_from_one_address():
    """No copy, no reply address, no header of ours: exactly what is listed here."""
    ses = Ses()

    message_id = mailer(ses).send(MESSAGE, tag="mail_1")

    assert message_id == "id-1"
    assert ses.asked == [
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


def test_a_mail_that_may_be_left_says_so_in_its_headers():
    """Mail programs make a button of them, which posts to our address in one click (RFC 8058)."""
    ses = Ses()

    mailer(ses).send(replace(MESSAGE, unsubscribe="https://d.example/u/1"), tag="mail_1")

    assert ses.asked[0]["Content"]["Simple"]["Headers"] == [
        {"Name": "List-Unsubscribe", "Value": "<https://d.example/u/1>"},
        {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
    ]


def test_the_mail_service_knows_what_it_is_asked():
    """By Amazon's own description of the call: a header, a tag and a configuration set."""
    client = botocore.session.get_session().create_client("sesv2", region_name="us-east-1")
    with Stubber(client) as service:
        service.add_response("send_email", {"MessageId": "id-1"})
        told = replace(MESSAGE, unsubscribe="https://d.example/u/1")

        assert mailer(client, "members").send(told, tag="mail_1") == "id-1"


def test_a_configuration_set_is_named_where_there_is_one():
    """It decides which events of a mail are reported, and that nothing is tracked."""
    ses = Ses()

    mailer(ses, "members").send(MESSAGE, tag="mail_1")

    assert ses.asked[0]["ConfigurationSetName"] == "members"


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
)
def test_trouble_of_the_mail_service_is_trouble_that_passes(failure):
    """Whoever sends tries again later."""
    with pytest.raises(UnavailableError):
        mailer(Ses(failure)).send(MESSAGE, tag="mail_1")


def test_a_refusal_of_the_mail_service_is_ours_to_look_at():
    """A sender that was not verified does not heal by waiting."""
    failure = ClientError({"Error": {"Code": "MessageRejected", "Message": "x"}}, "SendEmail")

    with pytest.raises(ClientError):
        mailer(Ses(failure)).send(MESSAGE, tag="mail_1")
