"""The delivery status of emails, as a person sees it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.notices.ses_events import MailEventKind
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.mails import EVENT_TIME_ATTRIBUTES, Mails, MailSkipReason, was_accepted_by_ses
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import from_timestamp

_BATCH_SIZE = 100
"""The maximum number of rows that DynamoDB reads in one call."""


class MailStatus(StrEnum):
    """The status of an email as a person sees it."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"
    FAILED = "failed"


class MailStatusEntry(NamedTuple):
    """The status of an email.

    Attributes:
        state: The status.
        at: When the status began; for a planned email, when it will be sent.
        skip_reason: Why it was not sent; None if it was sent or can still be sent.
    """

    state: MailStatus
    at: datetime
    skip_reason: str | None


_FINAL_STATES = (
    (MailEventKind.COMPLAINT, MailStatus.COMPLAINED),
    (MailEventKind.BOUNCE, MailStatus.BOUNCED),
    (MailEventKind.REJECT, MailStatus.FAILED),
    (MailEventKind.DELIVERY, MailStatus.DELIVERED),
)
"""Final events, most important first. Their order of arrival does not matter."""

_SINCE_ATTRIBUTES: Mapping[MailStatus, tuple[str, ...]] = {
    MailStatus.PLANNED: ("planned_for",),
    MailStatus.CLAIMED: ("planned_for",),
    # Our own time; the time of an SES event if the run crashed before it recorded one.
    MailStatus.SENT: ("finished_at", *EVENT_TIME_ATTRIBUTES.values()),
    MailStatus.DELIVERED: (EVENT_TIME_ATTRIBUTES[MailEventKind.DELIVERY],),
    MailStatus.BOUNCED: (EVENT_TIME_ATTRIBUTES[MailEventKind.BOUNCE],),
    MailStatus.COMPLAINED: (EVENT_TIME_ATTRIBUTES[MailEventKind.COMPLAINT],),
    MailStatus.SUPPRESSED: ("finished_at",),
    MailStatus.SKIPPED: ("finished_at",),
    MailStatus.FAILED: (EVENT_TIME_ATTRIBUTES[MailEventKind.REJECT], "due_at"),
}
"""The attributes that can have the time of a status; the first one in the row counts."""


def load_mail_statuses(mails: Mails, mail_ids: Iterable[str]) -> Mapping[str, MailStatusEntry]:
    """Load the status of emails, by id. A merged email has the status of the email it was merged into."""
    unique_ids = list(dict.fromkeys(mail_ids))
    known: dict[str, Item] = {}
    missing = unique_ids
    while missing:
        for first in range(0, len(missing), _BATCH_SIZE):
            known |= mails.get_many(missing[first : first + _BATCH_SIZE])
        merged_into = {row["merged_into"] for row in known.values() if "merged_into" in row}
        # Do not read a missing email again.
        missing = sorted(merged_into - known.keys() - set(missing))
    return {
        mail_id: compute_mail_status(_find_merged_mail(known[mail_id], known))
        for mail_id in unique_ids
        if mail_id in known
    }


def compute_mail_status(row: Item) -> MailStatusEntry:
    """Compute the status of an email, and since when it has it."""
    state = _compute_status(row)
    since = next(row[name] for name in _SINCE_ATTRIBUTES[state] if name in row)
    return MailStatusEntry(state, from_timestamp(since), row.get("why"))


def _compute_status(row: Item) -> MailStatus:
    """Compute the status of an email. The order in which its events arrived does not matter."""
    for kind, state in _FINAL_STATES:
        if EVENT_TIME_ATTRIBUTES[kind] in row:
            return state
    if was_accepted_by_ses(row):
        return MailStatus.SENT
    match TaskState(row["state"]):
        case TaskState.DONE:
            return MailStatus.SENT
        case TaskState.SKIPPED:
            return MailStatus.SUPPRESSED if row["why"] == MailSkipReason.SUPPRESSED else MailStatus.SKIPPED
        case TaskState.FAILED:
            return MailStatus.FAILED
    return MailStatus.CLAIMED if "fence" in row else MailStatus.PLANNED


def _find_merged_mail(row: Item, known: Mapping[str, Item]) -> Item:
    """Find the email into which an email was merged."""
    while row.get("merged_into") in known:
        row = known[row["merged_into"]]
    return row
