"""The only call of Amazon SES."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib import budget
from chalicelib.aws import answering
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
        request: dict[str, Any] = {
            "FromEmailAddress": self.sender,
            "Destination": {"ToAddresses": [message.to]},
            "Content": {
                "Simple": {
                    "Subject": {"Data": message.subject, "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": message.text, "Charset": "UTF-8"},
                        "Html": {"Data": message.html, "Charset": "UTF-8"},
                    },
                }
            },
            "EmailTags": [{"Name": "outbox_id", "Value": tag}],
        }
        if self.configuration_set:
            request["ConfigurationSetName"] = self.configuration_set
        # A mail service that hangs costs each task of a job this long, and no lease runs out.
        with answering(), budget.spending(budget.LONGEST_S, clock=self.clock):
            answer = self.client().send_email(**request)
        message_id: str = answer["MessageId"]
        return message_id
