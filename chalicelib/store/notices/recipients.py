"""The `recipients` table: how each member wants to be mailed, and what mail is on its way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.mail_timing import DAILY_THREAD, LastMail, Preferences
from chalicelib.store.platform.codec import from_json, to_json
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

_PREFERENCES = "preferences"
_SUPPRESSION = "suppression"
_OPEN_MAIL_PREFIX = "open#"

OPEN_MAIL_WRITE = "open"
"""The name of the write that says which mail of a thread is the last."""


class SuppressionReason(StrEnum):
    """Why an address is not written to any more."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Suppression(NamedTuple):
    """That an address is not written to, and since when."""

    reason: SuppressionReason
    since: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """What decides when a member is mailed about a referral."""

    preferences: Preferences
    last: Mapping[str, LastMail]


@dataclass(frozen=True, slots=True)
class Recipients:
    """What is kept of a member as somebody who gets mail."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def get_for_referral(self, member_id: str, referral_id: str) -> Recipient:
        """A member's preferences, and the last mails that a notice might join, by thread."""
        items = (_PREFERENCES, f"{_OPEN_MAIL_PREFIX}{referral_id}", f"{_OPEN_MAIL_PREFIX}{DAILY_THREAD}")
        rows = self.table.get_many([{"member_id": member_id, "item": item} for item in items])
        found = {row["item"]: row for row in rows}
        last = {
            item.removeprefix(_OPEN_MAIL_PREFIX): LastMail(row["mail_id"], from_timestamp(row["planned_for"]))
            for item, row in found.items()
            if item.startswith(_OPEN_MAIL_PREFIX)
        }
        return Recipient(_item_to_preferences(found.get(_PREFERENCES)), last)

    def get_preferences(self, member_id: str) -> Preferences:
        """How a member wants to be mailed; what nobody changed is as the product has it."""
        return _item_to_preferences(self.table.get({"member_id": member_id, "item": _PREFERENCES}))

    def prepare_save(
        self, member_id: str, preferences: Preferences, *, version: int
    ) -> tuple[Preferences, TransactionWrite]:
        """Preferences as the successor of a version, and the write that stores them."""
        saved = replace(preferences, version=version + 1)
        item = {
            "member_id": member_id,
            "item": _PREFERENCES,
            "chosen": to_json(Preferences, saved),
            "version": saved.version,
        }
        writing = self.table.prepare_put(
            _PREFERENCES,
            item,
            when="version = :read" if version else "attribute_not_exists(version)",
            values={"read": version} if version else None,
        )
        return saved, writing

    def prepare_open_mail(
        self, member_id: str, thread: str, mail: LastMail, *, after: LastMail | None
    ) -> TransactionWrite:
        """The write that makes a mail the last of its thread, unless another one is by now."""
        item = {
            "member_id": member_id,
            "item": f"{_OPEN_MAIL_PREFIX}{thread}",
            "mail_id": mail.mail_id,
            "planned_for": to_timestamp(mail.planned_for),
        }
        fresh = "attribute_not_exists(mail_id)"
        return self.table.prepare_put(
            OPEN_MAIL_WRITE,
            item,
            when="mail_id = :seen" if after else fresh,
            values={"seen": after.mail_id} if after else None,
        )

    def suppress_address(self, member: Member, address: str, why: Suppression) -> bool:
        """Write no more to this address of a member. False if that was known.

        Only a keyed mark of the address is kept: another address is written to again.
        """
        item = {
            "member_id": member.member_id,
            "item": _SUPPRESSION,
            "address": self._compute_address_index(member, address),
            "trouble": why.reason,
            "since": to_timestamp(why.since),
        }
        return self.table.put(
            item, when="attribute_not_exists(address) OR address <> :address", values={"address": item["address"]}
        )

    def find_suppression(self, member: Member) -> Suppression | None:
        """Why the member's present address is not written to, if that is so."""
        row = self.table.get({"member_id": member.member_id, "item": _SUPPRESSION})
        if row is None or row["address"] != self._compute_address_index(member, member.email):
            return None
        return Suppression(SuppressionReason(row["trouble"]), from_timestamp(row["since"]))

    def _compute_address_index(self, member: Member, address: str) -> bytes:
        return self.encryption.compute_blind_index(address.strip().lower(), scope=member.tenant_id)


def _item_to_preferences(item: Item | None) -> Preferences:
    return from_json(Preferences, item["chosen"]) if item else Preferences()
