"""Sends emails through Amazon SES. No other module calls SES."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib import budget
from chalicelib.aws import translate_aws_errors
from chalicelib.domain.notices.ses_events import MAIL_ID_TAG
from chalicelib.mail import MailMessage
from chalicelib.mail.invitation import build_raw_mail


@dataclass(frozen=True, slots=True, kw_only=True)
class SesMailer:
    """Sends through SES v2. `client` returns the one client, which it creates when first needed.

    `clock` measures how long SES takes.
    """

    client: Callable[[], Any]
    clock: Callable[[], float] = time.monotonic
    sender: str
    configuration_set: str

    def send(self, message: MailMessage, *, tag: str) -> str:
        """Send one email.

        Raises:
            UnavailableError: SES did not accept it, or did not confirm that it did.
        """
        request: dict[str, Any] = {
            "FromEmailAddress": self.sender,
            "Destination": {"ToAddresses": [message.to]},
            "Content": _build_content(message, self.sender),
            "EmailTags": [{"Name": MAIL_ID_TAG, "Value": tag}],
        }
        if self.configuration_set:
            request["ConfigurationSetName"] = self.configuration_set
        # If SES hangs, each task of a job waits this long at most, so no lease expires.
        with translate_aws_errors(), budget.limit_time(budget.MAX_BUDGET_S, clock=self.clock):
            response = self.client().send_email(**request)
        message_id: str = response["MessageId"]
        return message_id

    def read_quota_used(self) -> float:
        """Read how much of the quota of 24 hours was sent, in percent; 100 if SES sends nothing for this account.

        Raises:
            UnavailableError: SES did not respond.
        """
        with translate_aws_errors(), budget.limit_time(budget.MAX_BUDGET_S, clock=self.clock):
            account = self.client().get_account()
        quota = account["SendQuota"]
        if not account["SendingEnabled"]:
            return 100.0
        # A quota of -1 is unlimited.
        return max(0.0, 100 * float(quota["SentLast24Hours"]) / float(quota["Max24HourSend"]))


def _build_content(message: MailMessage, sender: str) -> dict[str, Any]:
    """Build a simple email, or with an invitation a MIME message of our own: SES itself sends no calendar part."""
    headers = _build_unsubscribe_headers(message.unsubscribe) if message.unsubscribe else []
    if message.calendar:
        raw = build_raw_mail(
            sender=sender,
            to=message.to,
            subject=message.subject,
            text=message.text,
            html=message.html,
            calendar=message.calendar,
            headers={header["Name"]: header["Value"] for header in headers},
        )
        return {"Raw": {"Data": raw}}
    content: dict[str, Any] = {
        "Subject": {"Data": message.subject, "Charset": "UTF-8"},
        "Body": {
            "Text": {"Data": message.text, "Charset": "UTF-8"},
            "Html": {"Data": message.html, "Charset": "UTF-8"},
        },
    }
    return {"Simple": content | ({"Headers": headers} if headers else {})}


def _build_unsubscribe_headers(address: str) -> list[dict[str, str]]:
    """The headers with which an email program offers to unsubscribe in one click (RFC 8058)."""
    return [
        {"Name": "List-Unsubscribe", "Value": f"<{address}>"},
        {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
    ]
