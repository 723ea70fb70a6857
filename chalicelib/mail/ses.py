"""The only call of Amazon SES."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.aws import answering
from chalicelib.mail import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class SesMailer:
    """Sends by SES v2. `client` makes or hands out the one client, when first needed."""

    client: Callable[[], Any]
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
        with answering():
            answer = self.client().send_email(**request)
        message_id: str = answer["MessageId"]
        return message_id
