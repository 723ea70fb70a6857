"""The `notices` table: what each member was told, and by which mail."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.notices.notice_rules import Category
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

_BATCH_SIZE = 100
"""How many rows DynamoDB reads in one call at most."""

_READ_LIMIT = 200
"""Of a referral's notices; most referrals have fewer in all."""

_ID_PREFIX = "ntc_"

NOTICE = "notice"
"""The name of the write that tells somebody, so that a refusal says that it was done before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something one member was told.

    Attributes:
        notice_id: Starts with the time of writing, so that a query reads newest first.
        referral_id: What it is about; empty where it is about several patients, as a digest.
        alias: The practice's nickname of the patient, or as empty; sealed where it is stored.
        mail_id: The mail that it stands in; None if the member wants none of its category.
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
    category: Category = Category.JOURNEY
    mail_id: str | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentNotice:
    """A notice as the list of a referral has it: whom it told of what, and not of whom.

    Attributes:
        due: When it was due, as ids sort. All notices of one task have it in common.
    """

    due: str
    member_id: str
    outbox_id: str
    rule: str
    title: str
    category: Category
    created_at: datetime
    mail_id: str | None
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Notices:
    """Each member's own list of notices."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def prepare_add(self, notice: Notice) -> TransactionWrite:
        """The write that tells somebody something, once."""
        return self.table.prepare_put(NOTICE, self._notice_to_item(notice), when="attribute_not_exists(notice_id)")

    def get_many(self, member_id: str, notice_ids: Sequence[str]) -> Sequence[Notice]:
        """Some of a member's notices, in the order asked for; what is gone is left out."""
        found: dict[str, Item] = {}
        for first in range(0, len(notice_ids), _BATCH_SIZE):
            keys = [
                {"member_id": member_id, "notice_id": notice_id}
                for notice_id in notice_ids[first : first + _BATCH_SIZE]
            ]
            found |= {row["notice_id"]: row for row in self.table.get_many(keys)}
        return [self._item_to_notice(found[each]) for each in notice_ids if each in found]

    def mark_read(self, *, member_id: str, notice_id: str, now: datetime) -> bool:
        """Say that the member has read it. False if there is no such notice."""
        return self.table.update(
            {"member_id": member_id, "notice_id": notice_id},
            "SET read_at = if_not_exists(read_at, :now)",
            when="attribute_exists(notice_id)",
            values={"now": to_timestamp(now)},
        )

    def list_page(
        self, member_id: str, *, limit: int, start: Mapping[str, Any] | None
    ) -> tuple[Sequence[Notice], Mapping[str, Any] | None]:
        """A part of a member's list, newest first."""
        page = self.table.query(
            "member_id = :member", {"member": member_id}, limit=limit, start=start, newest_first=True
        )
        return [self._item_to_notice(item) for item in page.items], page.next_key

    def list_for_referral(self, referral_id: str, tenant_id: str, *, up_to: str | None) -> Iterator[SentNotice]:
        """What a tenant's people were told of a referral, latest due first; read as it is used.

        As an index has it, seconds late: for people to look at, and never to decide by.

        Args:
            up_to: The latest `due` that is wanted; None for all.
        """
        condition, values = "referral_id = :referral", {"referral": referral_id}
        if up_to:
            # After every id that begins with that time.
            condition, values = (f"{condition} AND notice_id <= :last", {**values, "last": f"{_ID_PREFIX}{up_to}_~"})
        rows = self.table.query_all(condition, values, index="by_referral", limit=_READ_LIMIT, newest_first=True)
        return (_item_to_sent_notice(row) for row in rows if row["tenant_id"] == tenant_id)

    def count_unread(self, member_id: str, *, among: int = 100) -> int:
        """How many of the newest `among` notices are unread."""
        page = self.table.query("member_id = :member", {"member": member_id}, limit=among, newest_first=True)
        return sum("read_at" not in item for item in page.items)

    def _notice_to_item(self, notice: Notice) -> Item:
        return {
            "member_id": notice.member_id,
            "notice_id": notice.notice_id,
            "tenant_id": notice.tenant_id,
            "outbox_id": notice.outbox_id,
            "rule": notice.rule,
            "title": notice.title,
            # A key of an index is never empty: what is about several patients stands in none.
            "referral_id": notice.referral_id or None,
            "alias": self.encryption.encrypt(
                notice.alias.encode(), scope=notice.tenant_id, context=_build_encryption_context(notice)
            ),
            "created_at": to_timestamp(notice.created_at),
            "category": notice.category,
            "mail_id": notice.mail_id,
        }

    def _item_to_notice(self, item: Item) -> Notice:
        place = f"notice/{item['member_id']}/{item['notice_id']}"
        alias = self.encryption.decrypt(item["alias"], scope=item["tenant_id"], context=place)
        return Notice(
            notice_id=item["notice_id"],
            member_id=item["member_id"],
            tenant_id=item["tenant_id"],
            outbox_id=item["outbox_id"],
            rule=item["rule"],
            title=item["title"],
            referral_id=item.get("referral_id", ""),
            alias=alias.decode(),
            created_at=from_timestamp(item["created_at"]),
            category=Category(item.get("category", Category.JOURNEY)),
            mail_id=item.get("mail_id"),
            read_at=from_timestamp(item["read_at"]) if "read_at" in item else None,
        )


def _build_encryption_context(notice: Notice) -> str:
    return f"notice/{notice.member_id}/{notice.notice_id}"


def _item_to_sent_notice(item: Item) -> SentNotice:
    return SentNotice(
        due=item["notice_id"].removeprefix(_ID_PREFIX).partition("_")[0],
        member_id=item["member_id"],
        outbox_id=item["outbox_id"],
        rule=item["rule"],
        title=item["title"],
        category=Category(item.get("category", Category.JOURNEY)),
        created_at=from_timestamp(item["created_at"]),
        mail_id=item.get("mail_id"),
        read_at=from_timestamp(item["read_at"]) if "read_at" in item else None,
    )


def format_due_time(at: datetime) -> str:
    """A time as ids of notices begin with it, so that they sort."""
    return f"{at:%Y%m%dT%H%M%S%f}"
