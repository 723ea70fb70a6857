"""The only call of Amazon SES."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib import budget
from chalicelib.aws import answering
from chalicelib.domain.notices.ses_events import TAG
from chalicelib.mail import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class SesMailer:
    """Sends by SES v2. `client` makes or hands out the one client, when first needed.

    `clock` measures how long SES takes.
    """

    client: Callable[[], Any]
    clock: Callable[[], float] = time.monotonic
    sender: str
    configuration_set: str

    def send(self, message: Message, *, tag: str) -> str:
        """Send one mail.

        Raises:
            UnavailableError: SES did not take it, or did not say so.
        """
        content: dict[str, Any] = {
            "Subject": {"Data": message.subject, "Charset": "UTF-8"},
            "Body": {
                "Text": {"Data": message.text, "Charset": "UTF-8"},
                "Html": {"Data": message.html, "Charset": "UTF-8"},
            },
        }
        if message.unsubscribe:
            content["Headers"] = _ways_out(message.unsubscribe)
        request: dict[str, Any] = {
            "FromEmailAddress": self.sender,
            "Destination": {"ToAddresses": [message.to]},
            "Content": {"Simple": content},
            "EmailTags": [{"Name": TAG, "Value": tag}],
        }
        if self.configuration_set:
            request["ConfigurationSetName"] = self.configuration_set
        # A mail service that hangs costs each task of a job this long, and no lease runs out.
        with answering(), budget.spending(budget.LONGEST_S, clock=self.clock):
            answer = self.client().send_email(**request)
        message_id: str = answer["MessageId"]
        return message_id


def _ways_out(address: str) -> list[dict[str, str]]:
    """The headers by which a mail program offers to unsubscribe, in one click (RFC 8058)."""
    return [
        {"Name": "List-Unsubscribe", "Value": f"<{address}>"},
        {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
    ]
