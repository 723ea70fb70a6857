"""Records sent mail in a file, because ministack loses it when it stops."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class MailRecord:
    """Appends sent mail to a file, one JSON object per line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab+")
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
        lines = [_build_line(sent, request) for sent in self._list_unrecorded()]
        if lines:
            self._file.write(b"".join(lines))
            self._file.flush()
            os.fsync(self._file.fileno())

    def _list_unrecorded(self) -> list[dict[str, Any]]:
        ses = sys.modules.get("ministack.services.ses")
        mails: list[dict[str, Any]] = []
        # ministack's page of messages reads the same list, but it always returns all messages.
        for key, entries in ses._sent_emails.to_dict().items() if ses else ():  # noqa: SLF001
            mails += entries[self._recorded.get(key, 0) :]
            self._recorded[key] = len(entries)
        return mails


def _build_line(sent: dict[str, Any], request: bytes) -> bytes:
    requested = json.loads(request) if request.startswith(b"{") else {}
    simple = requested.get("Content", {}).get("Simple", {})
    if not _matches_request(requested, simple, sent):
        requested, simple = {}, {}
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
    }
    return json.dumps(mail).encode() + b"\n"


def _matches_request(requested: dict[str, Any], simple: dict[str, Any], sent: dict[str, Any]) -> bool:
    """Whether the request contains this mail. ministack can send another mail as a side effect of a request."""
    to = requested.get("Destination", {}).get("ToAddresses")
    return (to, simple.get("Subject", {}).get("Data")) == (sent["To"], sent["Subject"])
