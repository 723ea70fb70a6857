"""Which notices were emailed, according to the log of the functions.

The log is outside the tables, so a restore does not set it back. One line of it names an email, its recipient and
its notices (`send_mail.SENT_LINE`), and nothing about a patient.
"""

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chalicelib.services.notices.send_mail import SENT_LINE


class SentMail(NamedTuple):
    """An email that SES accepted."""

    mail_id: str
    member_id: str
    notice_ids: tuple[str, ...]


def read_sent_log(lines: Iterable[str]) -> Iterator[SentMail]:
    """Read the emails from log lines. Other lines are ignored.

    A line is what the function logged, or a JSON string of it as `aws logs filter-log-events` prints.
    """
    for line in lines:
        start = line.find("{")
        if SENT_LINE not in line or start < 0:
            continue
        text = line[start : line.rfind("}") + 1]
        entry = _parse(text) or _parse(text.replace('\\"', '"'))
        if entry is not None:
            yield entry


def _parse(text: str) -> SentMail | None:
    try:
        entry = json.loads(text)
        if entry.get("message") != SENT_LINE:
            return None
        return SentMail(entry["outbox_id"], entry["member_id"], tuple(entry["notice_ids"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def name_pair(member_id: str, notice_id: str) -> str:
    """Name a notice to a member by what does not depend on its due time."""
    return f"{member_id}/{notice_id.rpartition('_')[2]}"
