"""The `notices` table: what each member was told, and how far the mail of it got."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.store.dynamo import Item, Table
from chalicelib.store.instants import instant, parsed
from chalicelib.store.vault import Vault


class MailState(StrEnum):
    """How far the mail of a notice got."""

    SENDING = "sending"
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something one member was told.

    Attributes:
        notice_id: Starts with the time of writing, so that a query reads newest first.
        alias: The practice's nickname of the patient; sealed where it is stored.
    """

    notice_id: str
    member_id: str
    tenant_id: str
    outbox_id: str
    rule: str
    title: str
    referral_id: str
    alias: str
    created_at: datetime
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notices:
    """Each member's own list of notices, and the state of their mails."""

    table: Table
    vault: Vault

    def start(self, notice: Notice) -> MailState | None:
        """Store a notice before its mail is sent; None when it is new.

        A state means that an earlier run was here: `SENT` needs nothing, `SENDING` died
        between the mail service's yes and our mark, and has to be sent again.
        """
        item = self._item(notice) | {"mail": MailState.SENDING}
        if self.table.put(item, when="attribute_not_exists(notice_id)"):
            return None
        row = self.table.get({"member_id": notice.member_id, "notice_id": notice.notice_id})
        return MailState(row["mail"]) if row else None

    def mark_sent(self, notice: Notice, *, message_id: str, now: datetime) -> None:
        """Say that the mail service took the mail."""
        self.table.update(
            {"member_id": notice.member_id, "notice_id": notice.notice_id},
            "SET mail = :sent, message_id = :message, sent_at = :now",
            when="attribute_exists(notice_id)",
            values={"sent": MailState.SENT, "message": message_id, "now": instant(now)},
        )

    def mark_read(self, *, member_id: str, notice_id: str, now: datetime) -> bool:
        """Say that the member has read it. False if there is no such notice."""
        return self.table.update(
            {"member_id": member_id, "notice_id": notice_id},
            "SET read_at = if_not_exists(read_at, :now)",
            when="attribute_exists(notice_id)",
            values={"now": instant(now)},
        )

    def page(
        self, member_id: str, *, limit: int, start: Mapping[str, Any] | None
    ) -> tuple[Sequence[Notice], Mapping[str, Any] | None]:
        """A part of a member's list, newest first."""
        page = self.table.query(
            "member_id = :member",
            {"member": member_id},
            limit=limit,
            start=start,
            newest_first=True,
        )
        return [self._notice(item) for item in page.items], page.next_key

    def unread(self, member_id: str, *, among: int = 100) -> int:
        """How many of the newest `among` notices are unread."""
        page = self.table.query(
            "member_id = :member", {"member": member_id}, limit=among, newest_first=True
        )
        return sum("read_at" not in item for item in page.items)

    def _item(self, notice: Notice) -> Item:
        return {
            "member_id": notice.member_id,
            "notice_id": notice.notice_id,
            "tenant_id": notice.tenant_id,
            "outbox_id": notice.outbox_id,
            "rule": notice.rule,
            "title": notice.title,
            "referral_id": notice.referral_id,
            "alias": self.vault.seal(
                notice.alias.encode(), scope=notice.tenant_id, place=_place(notice)
            ),
            "created_at": instant(notice.created_at),
        }

    def _notice(self, item: Item) -> Notice:
        place = f"notice/{item['member_id']}/{item['notice_id']}"
        alias = self.vault.open(item["alias"], scope=item["tenant_id"], place=place)
        return Notice(
            notice_id=item["notice_id"],
            member_id=item["member_id"],
            tenant_id=item["tenant_id"],
            outbox_id=item["outbox_id"],
            rule=item["rule"],
            title=item["title"],
            referral_id=item["referral_id"],
            alias=alias.decode(),
            created_at=parsed(item["created_at"]),
            read_at=parsed(item["read_at"]) if "read_at" in item else None,
        )


def _place(notice: Notice) -> str:
    return f"notice/{notice.member_id}/{notice.notice_id}"
