"""How far mails got: each mail's row as a person sees its life."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.notices.ses_events import MailEventKind
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.mails import TOLD_AT, Mails, Why, was_taken
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import parsed

_A_BATCH = 100
"""How many rows DynamoDB reads in one call at most."""


class MailState(StrEnum):
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


class MailLife(NamedTuple):
    """How far a mail got.

    Attributes:
        at: Since when; for one that waits, when it is to be sent.
        why: Why it was not sent, where it was not.
    """

    state: MailState
    at: datetime
    why: str | None


_IN_THE_END = (
    (MailEventKind.COMPLAINT, MailState.COMPLAINED),
    (MailEventKind.BOUNCE, MailState.BOUNCED),
    (MailEventKind.REJECT, MailState.FAILED),
    (MailEventKind.DELIVERY, MailState.DELIVERED),
)
"""What counts, whatever came first or last."""

_SINCE: Mapping[MailState, tuple[str, ...]] = {
    MailState.PLANNED: ("planned_for",),
    MailState.CLAIMED: ("planned_for",),
    # By our own mark; by the service's word where a run died before it made one.
    MailState.SENT: ("finished_at", *TOLD_AT.values()),
    MailState.DELIVERED: (TOLD_AT[MailEventKind.DELIVERY],),
    MailState.BOUNCED: (TOLD_AT[MailEventKind.BOUNCE],),
    MailState.COMPLAINED: (TOLD_AT[MailEventKind.COMPLAINT],),
    MailState.SUPPRESSED: ("finished_at",),
    MailState.SKIPPED: ("finished_at",),
    MailState.FAILED: (TOLD_AT[MailEventKind.REJECT], "due_at"),
}
"""Where the time of a state stands: the first of these that a row has."""


def lives(mails: Mails, mail_ids: Iterable[str]) -> Mapping[str, MailLife]:
    """How far mails got, by id; one that was gathered, as far as the one it went out with."""
    asked = list(dict.fromkeys(mail_ids))
    known: dict[str, Item] = {}
    missing = asked
    while missing:
        for first in range(0, len(missing), _A_BATCH):
            known |= mails.rows(missing[first : first + _A_BATCH])
        into = {row["merged_into"] for row in known.values() if "merged_into" in row}
        # One that is not there is not asked for again.
        missing = sorted(into - known.keys() - set(missing))
    return {mail_id: life_of(_last(known[mail_id], known)) for mail_id in asked if mail_id in known}


def life_of(row: Item) -> MailLife:
    """How far a mail got, and since when."""
    state = _state_of(row)
    since = next(row[name] for name in _SINCE[state] if name in row)
    return MailLife(state, parsed(since), row.get("why"))


def _state_of(row: Item) -> MailState:
    """How far a mail got, whatever the order in which its events arrived."""
    for kind, state in _IN_THE_END:
        if TOLD_AT[kind] in row:
            return state
    if was_taken(row):
        return MailState.SENT
    match TaskState(row["state"]):
        case TaskState.DONE:
            return MailState.SENT
        case TaskState.SKIPPED:
            return MailState.SUPPRESSED if row["why"] == Why.SUPPRESSED else MailState.SKIPPED
        case TaskState.PARKED:
            return MailState.FAILED
    return MailState.CLAIMED if "fence" in row else MailState.PLANNED


def _last(row: Item, known: Mapping[str, Item]) -> Item:
    """The mail that a gathered one went out with."""
    while row.get("merged_into") in known:
        row = known[row["merged_into"]]
    return row
