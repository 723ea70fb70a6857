"""Records sent mail in a file, because ministack loses it when it stops."""

import json
import os
import sys
from base64 import b64decode
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any


class MailRecord:
    """Appends sent mail to a file, one JSON object per line."""

    def __init__(self, path: Path) -> None:
        # Unbuffered, so that a failed write leaves nothing behind that a later one would write.
        self._file = path.open("ab+", buffering=0)
        self._drop_torn_line()
        self._recorded: dict[object, int] = {}

    def _drop_torn_line(self) -> None:
        """Remove an incomplete last line, which a crash can leave."""
        self._file.seek(0)
        self._file.truncate(self._file.read().rfind(b"\n") + 1)

    def append_new(self, request: bytes) -> None:
        """Record the mail that was sent since the last call, and wait until it is on disk.

        `request` is the request that sent it. It contains headers that ministack does not keep.
        """
        ses = sys.modules.get("ministack.services.ses")
        # ministack's page of messages reads the same list, but it always returns all messages.
        sent = ses._sent_emails.to_dict() if ses else {}  # noqa: SLF001
        unrecorded = [mail for key, mails in sent.items() for mail in mails[self._recorded.get(key, 0) :]]
        if unrecorded:
            self._append(b"".join(_build_line(mail, request) for mail in unrecorded))
            self._recorded.update({key: len(mails) for key, mails in sent.items()})

    def _append(self, lines: bytes) -> None:
        """Append whole lines, or nothing.

        Raises:
            OSError: the disk is full. The sender does not get a response, and sends the mail again.
        """
        end = self._file.seek(0, os.SEEK_END)
        try:
            self._file.write(lines)
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(end)
            raise


def _build_line(sent: dict[str, Any], request: bytes) -> bytes:
    requested = json.loads(request) if request.startswith(b"{") else {}
    content = requested.get("Content", {})
    simple, raw = content.get("Simple", {}), _parse_raw(content.get("Raw", {}))
    subject = str(raw["Subject"]) if raw else simple.get("Subject", {}).get("Data")
    if not _matches_request(requested, subject, sent):
        requested, simple, raw = {}, {}, None
    headers = simple.get("Headers", [])
    mail = {
        "mail_id": sent["MessageId"].partition("@")[0],
        "sent_at": datetime.fromtimestamp(sent["Timestamp"], UTC).isoformat(timespec="seconds"),
        "from": sent["Source"],
        "to": sent["To"],
        "cc": sent["CC"],
        "bcc": sent["BCC"],
        "reply_to": requested.get("ReplyToAddresses", []),
        "tags": {tag["Name"]: tag["Value"] for tag in requested.get("EmailTags", [])},
        "headers": [[header["Name"], header["Value"]] for header in headers],
        "subject": sent["Subject"],
        "text": sent["BodyText"] or "",
        "html": sent["BodyHtml"] or "",
        "calendar": _find_calendar(raw),
    }
    return json.dumps(mail).encode() + b"\n"


def _parse_raw(raw: dict[str, Any]) -> EmailMessage | None:
    """Parse a MIME message, which carries an invitation."""
    return message_from_bytes(b64decode(raw["Data"]), policy=SMTP) if raw else None


def _find_calendar(message: EmailMessage | None) -> str:
    """The text of the invitation; empty for an email without one."""
    parts = message.walk() if message else ()
    return next((str(part.get_content()) for part in parts if part.get_content_type() == "text/calendar"), "")


def _matches_request(requested: dict[str, Any], subject: str | None, sent: dict[str, Any]) -> bool:
    """Whether the request contains this mail. ministack can send another mail as a side effect of a request."""
    to = requested.get("Destination", {}).get("ToAddresses")
    return (to, subject) == (sent["To"], sent["Subject"])
