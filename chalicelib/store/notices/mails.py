"""Emails as rows of the outbox. They are claimed, retried and failed like any other task.

All emails of a member are in one shard of the mail queue, so that a run sees together what it may
have to merge into one email.

Stored names: the queue's partition is in `lane`, `held` counts the notices of an email, and `why` is
the reason for a skipped email.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zlib import crc32

from chalicelib.domain.notices.mail_timing import Mail, MailKind
from chalicelib.domain.notices.ses_events import MailEventKind
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.outbox import SHARDS
from chalicelib.store.platform.dynamo import DynamoTable, Item, ItemRead, TransactionWrite
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

_MAIL_RULE = "mail"

MAIL = "mail"
"""The name of the write that creates an email or adds a notice to one."""

EVENT_TIME_ATTRIBUTES = {kind: f"{kind}_at" for kind in MailEventKind}
"""The attribute that has the time of each kind of SES event."""


class MailSkipReason(StrEnum):
    """Why an email was skipped."""

    NOT_A_MEMBER = "not_a_member"
    NOT_VISIBLE = "not_visible"
    READ = "read"
    TURNED_OFF = "turned_off"
    SUPPRESSED = "suppressed"
    SUPERSEDED = "superseded"
    """A later invitation to the same appointment replaces it."""
    ENDED = "ended"
    """The referral has ended since, and its notices were overtaken."""


UNREACHED_REASONS = frozenset({MailSkipReason.NOT_A_MEMBER, MailSkipReason.SUPPRESSED})
"""The recipient is unreachable, so a critical notice escalates to a colleague."""


@dataclass(frozen=True, slots=True)
class Mails:
    """The emails among the rows of the outbox."""

    table: DynamoTable

    def prepare_plan(self, mail: Mail) -> TransactionWrite:
        """Build the conditional write that creates an email, at most once."""
        return self.table.prepare_put(MAIL, mail_to_item(mail), when="attribute_not_exists(outbox_id)")

    def prepare_join(self, mail_id: str, notice_id: str, *, late_since: datetime | None) -> TransactionWrite:
        """Build the conditional write that adds a notice to an email that no run has claimed yet."""
        change = "SET notice_ids = list_append(notice_ids, :more), held = held + :one"
        values: dict[str, Any] = {"more": [notice_id], "one": 1, "planned": TaskState.PLANNED}
        if late_since:
            change += ", late_since = if_not_exists(late_since, :late)"
            values["late"] = to_timestamp(late_since)
        return self.table.prepare_update(
            MAIL,
            {"outbox_id": mail_id},
            change,
            when="attribute_not_exists(fence) AND #state = :planned",
            values=values,
            names={"#state": "state"},
        )

    def prepare_merge(self, into: Mail, rows: Sequence[Item]) -> Sequence[TransactionWrite]:
        """Build the writes that merge several emails into one, unless one of them changed after it was read."""
        merged = [
            self.table.prepare_update(
                row["outbox_id"],
                {"outbox_id": row["outbox_id"]},
                "SET #state = :done, merged_into = :into REMOVE lane",
                when="lane = :lane AND due_at = :read AND held = :held",
                values={
                    "done": TaskState.DONE,
                    "into": into.mail_id,
                    "lane": row["lane"],
                    "read": row["due_at"],
                    "held": row["held"],
                },
                names={"#state": "state"},
            )
            for row in rows
        ]
        return [self.prepare_plan(into), *merged]

    def get(self, mail_id: str) -> Item | None:
        """Read the row of an email, strongly consistent."""
        row = self.table.get({"outbox_id": mail_id})
        return row if row and row["rule"] == _MAIL_RULE else None

    def prepare_get(self, mail_id: str) -> ItemRead:
        """Build the read of the row of an email."""
        return ItemRead(self.table, {"outbox_id": mail_id})

    def get_many(self, mail_ids: Sequence[str]) -> Mapping[str, Item]:
        """Read the rows of up to 100 emails, strongly consistent, by id."""
        rows = self.table.get_many([{"outbox_id": mail_id} for mail_id in mail_ids])
        return {row["outbox_id"]: row for row in rows}

    def mark_sent(self, claim: Claim, *, message_id: str | None, now: datetime) -> bool:
        """Record that SES accepted an email. Return False if another run has claimed it.

        Args:
            message_id: The id that SES gave it; None if we know only from an event that SES accepted
                it.
        """
        values = {"state": TaskState.DONE, "now": to_timestamp(now)}
        change = "SET #state = :state, finished_at = :now"
        if message_id:
            change, values = f"{change}, message_id = :id", values | {"id": message_id}
        return self._update_claimed(claim, f"{change} REMOVE lane", values)

    def mark_skipped(self, claim: Claim, why: MailSkipReason, *, now: datetime) -> bool:
        """Record why an email is not sent. Return False if another run has claimed it."""
        return self._update_claimed(
            claim,
            "SET #state = :state, finished_at = :now, why = :why REMOVE lane",
            {"state": TaskState.SKIPPED, "now": to_timestamp(now), "why": why},
        )

    def release(self, claim: Claim) -> bool:
        """Give back an email that SES does not accept now. Its due time stays; the attempt does not count.

        Because the due time stays, later emails to the same member are found together with it.
        """
        change = "SET due_at = :due, tries = :tries"
        values = {"due": claim.row["due_at"], "tries": claim.attempts - 1}
        return self.table.update(
            {"outbox_id": claim.outbox_id},
            change,
            when="fence = :fence",
            values=values | {"fence": claim.fencing_token},
        )

    def record_event(self, mail_id: str, kind: MailEventKind, at: datetime) -> None:
        """Record when an event first happened to an email. Events can arrive in any order."""
        name = EVENT_TIME_ATTRIBUTES[kind]
        self.table.update(
            {"outbox_id": mail_id},
            f"SET {name} = :at",
            when=f"#rule = :mail AND (attribute_not_exists({name}) OR {name} > :at)",
            values={"at": to_timestamp(at), "mail": _MAIL_RULE},
            names={"#rule": "rule"},
        )

    def _update_claimed(self, claim: Claim, change: str, values: Mapping[str, Any]) -> bool:
        return self.table.update(
            {"outbox_id": claim.outbox_id},
            change,
            when="fence = :fence",
            values={**values, "fence": claim.fencing_token},
            names={"#state": "state"},
        )


def was_accepted_by_ses(row: Item) -> bool:
    """Whether an SES event shows that SES accepted the email."""
    return any(name in row for name in EVENT_TIME_ATTRIBUTES.values())


def item_to_mail(row: Item) -> Mail:
    """Convert a row to an email."""
    return Mail(
        mail_id=row["outbox_id"],
        kind=MailKind(row["kind"]),
        member_id=row["member_id"],
        recipient_subject=row["subject"],
        tenant_id=row["tenant_id"],
        referral_id=row["referral_id"],
        notice_ids=tuple(row["notice_ids"]),
        due_at=from_timestamp(row["planned_for"]),
        late_since=from_timestamp(row["late_since"]) if "late_since" in row else None,
        listed_referral_ids=tuple(row.get("listed", ())),
        unlisted_count=row.get("unlisted", 0),
        unreached_member_ids=tuple(row.get("unreached", ())),
        invitation=row.get("invitation", ""),
    )


def mail_to_item(mail: Mail) -> Item:
    """Convert an email to a row that no run has claimed."""
    row = {
        "outbox_id": mail.mail_id,
        "rule": _MAIL_RULE,
        "state": TaskState.PLANNED,
        "lane": f"{TaskQueue.MAIL}#{crc32(mail.member_id.encode()) % SHARDS}",
        "kind": mail.kind,
        "member_id": mail.member_id,
        "subject": mail.recipient_subject,
        "tenant_id": mail.tenant_id,
        "referral_id": mail.referral_id,
        "notice_ids": list(mail.notice_ids),
        "held": len(mail.notice_ids),
        "due_at": to_timestamp(mail.due_at),
        "planned_for": to_timestamp(mail.due_at),
        "late_since": to_timestamp(mail.late_since) if mail.late_since else None,
        "listed": list(mail.listed_referral_ids) or None,
        "unlisted": mail.unlisted_count or None,
        "unreached": list(mail.unreached_member_ids) or None,
        "invitation": mail.invitation or None,
    }
    return {name: value for name, value in row.items() if value is not None}
