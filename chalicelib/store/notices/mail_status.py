"""How far mails got: each mail's row as a person sees its life."""

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
"""How many rows DynamoDB reads in one call at most."""


class MailStatus(StrEnum):
    """The life of a mail as a person sees it."""

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
    """How far a mail got.

    Attributes:
        at: Since when; for one that waits, when it is to be sent.
        why: Why it was not sent, where it was not.
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
"""What counts, whatever came first or last."""

_SINCE_ATTRIBUTES: Mapping[MailStatus, tuple[str, ...]] = {
    MailStatus.PLANNED: ("planned_for",),
    MailStatus.CLAIMED: ("planned_for",),
    # By our own mark; by the service's word where a run died before it made one.
    MailStatus.SENT: ("finished_at", *EVENT_TIME_ATTRIBUTES.values()),
    MailStatus.DELIVERED: (EVENT_TIME_ATTRIBUTES[MailEventKind.DELIVERY],),
    MailStatus.BOUNCED: (EVENT_TIME_ATTRIBUTES[MailEventKind.BOUNCE],),
    MailStatus.COMPLAINED: (EVENT_TIME_ATTRIBUTES[MailEventKind.COMPLAINT],),
    MailStatus.SUPPRESSED: ("finished_at",),
    MailStatus.SKIPPED: ("finished_at",),
    MailStatus.FAILED: (EVENT_TIME_ATTRIBUTES[MailEventKind.REJECT], "due_at"),
}
"""Where the time of a state stands: the first of these that a row has."""


def load_mail_statuses(mails: Mails, mail_ids: Iterable[str]) -> Mapping[str, MailStatusEntry]:
    """How far mails got, by id; one that was gathered, as far as the one it went out with."""
    asked = list(dict.fromkeys(mail_ids))
    known: dict[str, Item] = {}
    missing = asked
    while missing:
        for first in range(0, len(missing), _BATCH_SIZE):
            known |= mails.get_many(missing[first : first + _BATCH_SIZE])
        into = {row["merged_into"] for row in known.values() if "merged_into" in row}
        # One that is not there is not asked for again.
        missing = sorted(into - known.keys() - set(missing))
    return {
        mail_id: compute_mail_status(_find_merged_mail(known[mail_id], known)) for mail_id in asked if mail_id in known
    }


def compute_mail_status(row: Item) -> MailStatusEntry:
    """How far a mail got, and since when."""
    state = _compute_status(row)
    since = next(row[name] for name in _SINCE_ATTRIBUTES[state] if name in row)
    return MailStatusEntry(state, from_timestamp(since), row.get("why"))


def _compute_status(row: Item) -> MailStatus:
    """How far a mail got, whatever the order in which its events arrived."""
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
    """The mail that a gathered one went out with."""
    while row.get("merged_into") in known:
        row = known[row["merged_into"]]
    return row
