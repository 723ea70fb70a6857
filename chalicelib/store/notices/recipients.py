"""The `recipients` table: how each member wants to be mailed, and what mail is on its way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.mail_timing import DAILY_THREAD, Last, Preferences
from chalicelib.store.platform.codec import dump, load
from chalicelib.store.platform.dynamo import Item, Table, Write
from chalicelib.store.platform.envelope_encryption import Vault
from chalicelib.store.platform.timestamps import instant, parsed

_PREFERENCES = "preferences"
_SUPPRESSION = "suppression"
_OPEN = "open#"

OPENING = "open"
"""The name of the write that says which mail of a thread is the last."""


class Trouble(StrEnum):
    """Why an address is not written to any more."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Suppression(NamedTuple):
    """That an address is not written to, and since when."""

    trouble: Trouble
    since: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """What decides when a member is mailed about a referral."""

    preferences: Preferences
    last: Mapping[str, Last]


@dataclass(frozen=True, slots=True)
class Recipients:
    """What is kept of a member as somebody who gets mail."""

    table: Table
    vault: Vault

    def about(self, member_id: str, referral_id: str) -> Recipient:
        """A member's preferences, and the last mails that a notice might join, by thread."""
        items = (_PREFERENCES, f"{_OPEN}{referral_id}", f"{_OPEN}{DAILY_THREAD}")
        rows = self.table.get_many([{"member_id": member_id, "item": item} for item in items])
        found = {row["item"]: row for row in rows}
        last = {
            item.removeprefix(_OPEN): Last(row["mail_id"], parsed(row["planned_for"]))
            for item, row in found.items()
            if item.startswith(_OPEN)
        }
        return Recipient(_preferences(found.get(_PREFERENCES)), last)

    def preferences(self, member_id: str) -> Preferences:
        """How a member wants to be mailed; what nobody changed is as the product has it."""
        return _preferences(self.table.get({"member_id": member_id, "item": _PREFERENCES}))

    def saving(
        self, member_id: str, wanted: Preferences, *, version: int
    ) -> tuple[Preferences, Write]:
        """Preferences as the successor of a version, and the write that stores them."""
        saved = replace(wanted, version=version + 1)
        item = {
            "member_id": member_id,
            "item": _PREFERENCES,
            "chosen": dump(Preferences, saved),
            "version": saved.version,
        }
        writing = self.table.putting(
            _PREFERENCES,
            item,
            when="version = :read" if version else "attribute_not_exists(version)",
            values={"read": version} if version else None,
        )
        return saved, writing

    def opening(self, member_id: str, thread: str, mail: Last, *, after: Last | None) -> Write:
        """The write that makes a mail the last of its thread, unless another one is by now."""
        item = {
            "member_id": member_id,
            "item": f"{_OPEN}{thread}",
            "mail_id": mail.mail_id,
            "planned_for": instant(mail.planned_for),
        }
        fresh = "attribute_not_exists(mail_id)"
        return self.table.putting(
            OPENING,
            item,
            when="mail_id = :seen" if after else fresh,
            values={"seen": after.mail_id} if after else None,
        )

    def suppress(self, member: Member, address: str, why: Suppression) -> bool:
        """Write no more to this address of a member. False if that was known.

        Only a keyed mark of the address is kept: another address is written to again.
        """
        item = {
            "member_id": member.member_id,
            "item": _SUPPRESSION,
            "address": self._mark(member, address),
            "trouble": why.trouble,
            "since": instant(why.since),
        }
        return self.table.put(
            item,
            when="attribute_not_exists(address) OR address <> :address",
            values={"address": item["address"]},
        )

    def suppression(self, member: Member) -> Suppression | None:
        """Why the member's present address is not written to, if that is so."""
        row = self.table.get({"member_id": member.member_id, "item": _SUPPRESSION})
        if row is None or row["address"] != self._mark(member, member.email):
            return None
        return Suppression(Trouble(row["trouble"]), parsed(row["since"]))

    def _mark(self, member: Member, address: str) -> bytes:
        return self.vault.mark(address.strip().lower(), scope=member.tenant_id)


def _preferences(item: Item | None) -> Preferences:
    return load(Preferences, item["chosen"]) if item else Preferences()
