"""The `recipients` table: email preferences, open emails and suppressed addresses of each member.

Preferences include the quiet hours; `domain.notices.mail_timing` applies them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.mail_timing import DAILY_THREAD, MORNING_SUFFIX, LastMail, Preferences
from chalicelib.store.platform.codec import from_json, to_json
from chalicelib.store.platform.dynamo import DynamoTable, Item, ItemRead, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

_PREFERENCES = "preferences"
_SUPPRESSION = "suppression"
_OPEN_MAIL_PREFIX = "open#"
_SENT_PREFIX = "sent#"
_BATCH_SIZE = 100
"""The maximum number of rows that DynamoDB reads in one call."""

OPEN_MAIL_WRITE = "open"
"""The name of the write that stores the last email of a thread."""


class SuppressionReason(StrEnum):
    """Why no more email is sent to an address."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Suppression(NamedTuple):
    """Why no email is sent to an address, and since when."""

    reason: SuppressionReason
    since: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """What decides when a member gets an email about a referral.

    `sent_mail_id` is the email that the member already got about the notice, according to `referrals restore repair`.
    """

    preferences: Preferences
    last: Mapping[str, LastMail]
    sent_mail_id: str | None = None


@dataclass(frozen=True, slots=True)
class Recipients:
    """What is stored about members who get email.

    The stored attribute `chosen` has the preferences, and `trouble` is the suppression reason.
    """

    table: DynamoTable
    encryption: EnvelopeEncryption

    def get_for_referral(self, member_id: str, referral_id: str, notice_id: str) -> Recipient:
        """Read a member's preferences, the last emails that a notice can join, by thread, and whether it was sent."""
        threads = (referral_id, f"{referral_id}{MORNING_SUFFIX}", DAILY_THREAD)
        sent_item = _name_sent_item(notice_id)
        items = (_PREFERENCES, sent_item, *(f"{_OPEN_MAIL_PREFIX}{thread}" for thread in threads))
        rows = self.table.get_many([{"member_id": member_id, "item": item} for item in items])
        row_by_item = {row["item"]: row for row in rows}
        last = {
            item.removeprefix(_OPEN_MAIL_PREFIX): LastMail(row["mail_id"], from_timestamp(row["planned_for"]))
            for item, row in row_by_item.items()
            if item.startswith(_OPEN_MAIL_PREFIX)
        }
        sent = row_by_item.get(sent_item)
        return Recipient(read_preferences(row_by_item.get(_PREFERENCES)), last, sent["mail_id"] if sent else None)

    def find_sent_mail(self, member_id: str, notice_id: str) -> str | None:
        """Find the email that a member already got about a notice, if a restore lost its other rows."""
        row = self.table.get({"member_id": member_id, "item": _name_sent_item(notice_id)})
        return str(row["mail_id"]) if row else None

    def record_sent_mail(self, member_id: str, notice_id: str, mail_id: str) -> bool:
        """Record that a member got an email about a notice. Return False if it is recorded already."""
        item = {"member_id": member_id, "item": _name_sent_item(notice_id), "mail_id": mail_id}
        return self.table.put(item, when="attribute_not_exists(member_id)")

    def get_preferences(self, member_id: str) -> Preferences:
        """Read the email preferences of a member; the defaults of the product if they were never changed."""
        return read_preferences(self.table.get({"member_id": member_id, "item": _PREFERENCES}))

    def prepare_get_preferences(self, member_id: str) -> ItemRead:
        """Build the read of a member's preferences. `read_preferences` converts what it finds."""
        return ItemRead(self.table, {"member_id": member_id, "item": _PREFERENCES})

    def prepare_get_suppression(self, member_id: str) -> ItemRead:
        """Build the read of a member's suppressed address. `read_suppression` converts what it finds."""
        return ItemRead(self.table, {"member_id": member_id, "item": _SUPPRESSION})

    def prepare_save(
        self, member_id: str, preferences: Preferences, *, version: int
    ) -> tuple[Preferences, TransactionWrite]:
        """Build the next version of the preferences, and the conditional write that stores it."""
        saved = replace(preferences, version=version + 1)
        item = {
            "member_id": member_id,
            "item": _PREFERENCES,
            "chosen": to_json(Preferences, saved),
            "version": saved.version,
        }
        write = self.table.prepare_put(
            _PREFERENCES,
            item,
            when="version = :read" if version else "attribute_not_exists(version)",
            values={"read": version} if version else None,
        )
        return saved, write

    def prepare_open_mail(
        self, member_id: str, thread: str, mail: LastMail, *, after: LastMail | None
    ) -> TransactionWrite:
        """Build the write that makes an email the last of its thread, unless another run was faster."""
        item = {
            "member_id": member_id,
            "item": f"{_OPEN_MAIL_PREFIX}{thread}",
            "mail_id": mail.mail_id,
            "planned_for": to_timestamp(mail.planned_for),
        }
        return self.table.prepare_put(
            OPEN_MAIL_WRITE,
            item,
            when="mail_id = :read" if after else "attribute_not_exists(mail_id)",
            values={"read": after.mail_id} if after else None,
        )

    def suppress_address(self, member: Member, address: str, suppression: Suppression) -> bool:
        """Send no more email to this address of a member. Return False if it was already suppressed.

        Only a blind index of the address is stored. A member's other address gets email again.
        """
        item = {
            "member_id": member.member_id,
            "item": _SUPPRESSION,
            "address": self._compute_address_index(member, address),
            "trouble": suppression.reason,
            "since": to_timestamp(suppression.since),
        }
        return self.table.put(
            item, when="attribute_not_exists(address) OR address <> :address", values={"address": item["address"]}
        )

    def read_suppression_item(self, member_id: str) -> Item | None:
        """Read what `read_suppression` needs."""
        return self.table.get({"member_id": member_id, "item": _SUPPRESSION})

    def find_suppression(self, member: Member) -> Suppression | None:
        """Find why the member's current address gets no email; None if it does."""
        row = self.read_suppression_item(member.member_id)
        return self.read_suppression(row, member) if row else None

    def find_suppressions(self, members: Sequence[Member]) -> Mapping[str, Suppression]:
        """Find why the current addresses of members get no email, by member; without those who do get it."""
        by_id = {member.member_id: member for member in members}
        found: dict[str, Suppression] = {}
        keys = [{"member_id": member_id, "item": _SUPPRESSION} for member_id in by_id]
        for first in range(0, len(keys), _BATCH_SIZE):
            for row in self.table.get_many(keys[first : first + _BATCH_SIZE]):
                suppression = self.read_suppression(row, by_id[row["member_id"]])
                if suppression:
                    found[row["member_id"]] = suppression
        return found

    def read_suppression(self, row: Item, member: Member) -> Suppression | None:
        """Read a suppression, unless it is about an address that the member no longer has."""
        if row["address"] != self._compute_address_index(member, member.email):
            return None
        return Suppression(SuppressionReason(row["trouble"]), from_timestamp(row["since"]))

    def _compute_address_index(self, member: Member, address: str) -> bytes:
        return self.encryption.compute_blind_index(address.strip().lower(), scope=member.tenant_id)


def _name_sent_item(notice_id: str) -> str:
    """Name the row about an email that was sent. It has the part of the id that does not depend on the due time."""
    return f"{_SENT_PREFIX}{notice_id.rpartition('_')[2]}"


def read_preferences(item: Item | None) -> Preferences:
    """Convert the item of a member's preferences; the defaults of the product if there is none."""
    return from_json(Preferences, item["chosen"]) if item else Preferences()
