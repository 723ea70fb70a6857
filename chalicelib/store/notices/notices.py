"""The `notices` table: the notices of each member, and the email in which each one is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.notices.notice_rules import Category
from chalicelib.store.platform.dynamo import DynamoTable, Item, ItemRead, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

_BATCH_SIZE = 100
"""The maximum number of rows that DynamoDB reads in one call."""

_READ_LIMIT = 200
"""How many notices of a referral are read at once. Most referrals have fewer."""

_ID_PREFIX = "ntc_"

NOTICE = "notice"
"""The name of the write that adds a notice. If it fails, the member was already notified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice to one member.

    Attributes:
        notice_id: Starts with the time of writing, so that a query reads newest first.
        referral_id: The referral; empty for a notice about several patients, such as a digest.
        alias: The practice's name for the patient; empty like `referral_id`. Stored encrypted.
        detail: What a report about care says, with what to do first; empty for other notices. Stored
            encrypted.
        mail_id: The email that has it; None if the member wants no email of its category.
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
    category: Category = Category.STATUS_UPDATE
    detail: str = ""
    mail_id: str | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentNotice:
    """A notice in the list of a referral: who was notified about what, without the patient's alias.

    Attributes:
        due: When it was due, in the format of the ids. All notices of one task have the same value.
    """

    notice_id: str
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
    """The list of notices of each member."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def prepare_add(self, notice: Notice) -> TransactionWrite:
        """Build the conditional write that adds a notice, at most once."""
        return self.table.prepare_put(NOTICE, self._notice_to_item(notice), when="attribute_not_exists(notice_id)")

    def get_many(self, member_id: str, notice_ids: Sequence[str]) -> Sequence[Notice]:
        """Read some of a member's notices, in the order of `notice_ids`. Missing ones are left out."""
        row_by_id: dict[str, Item] = {}
        # DynamoDB refuses a key that is read twice. After a restore, a notice can have joined an email a second time.
        notice_ids = list(dict.fromkeys(notice_ids))
        for first in range(0, len(notice_ids), _BATCH_SIZE):
            keys = [
                {"member_id": member_id, "notice_id": notice_id}
                for notice_id in notice_ids[first : first + _BATCH_SIZE]
            ]
            row_by_id |= {row["notice_id"]: row for row in self.table.get_many(keys)}
        return [self.read_item(row_by_id[notice_id]) for notice_id in notice_ids if notice_id in row_by_id]

    def prepare_get(self, member_id: str, notice_id: str) -> ItemRead:
        """Build the read of a notice. `read_item` converts what it finds."""
        return ItemRead(self.table, {"member_id": member_id, "notice_id": notice_id})

    def read_item(self, item: Item) -> Notice:
        """Convert the item of a notice."""
        context = _build_encryption_context(item["member_id"], item["notice_id"])
        alias = self.encryption.decrypt(item["alias"], scope=item["tenant_id"], context=context)
        detail = item.get("detail")
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
            category=Category(item.get("category", Category.STATUS_UPDATE)),
            detail=(
                self.encryption.decrypt(detail, scope=item["tenant_id"], context=f"{context}/detail").decode()
                if detail
                else ""
            ),
            mail_id=item.get("mail_id"),
            read_at=from_timestamp(item["read_at"]) if "read_at" in item else None,
        )

    def mark_read(self, *, member_id: str, notice_id: str, now: datetime) -> bool:
        """Record that the member read a notice. Return False if there is no such notice."""
        return self.table.update(
            {"member_id": member_id, "notice_id": notice_id},
            "SET read_at = if_not_exists(read_at, :now)",
            when="attribute_exists(notice_id)",
            values={"now": to_timestamp(now)},
        )

    def list_page(
        self, member_id: str, *, limit: int, start: Mapping[str, Any] | None
    ) -> tuple[Sequence[Notice], Mapping[str, Any] | None]:
        """List one page of a member's notices, newest first."""
        page = self.table.query(
            "member_id = :member", {"member": member_id}, limit=limit, start=start, newest_first=True
        )
        return [self.read_item(item) for item in page.items], page.next_key

    def list_for_referral(self, referral_id: str, tenant_id: str, *, up_to: str | None) -> Iterator[SentNotice]:
        """List a referral's notices to a tenant's members, latest due first. Reads pages as they are used.

        It reads an index, which can be seconds late, so use it to show notices and never to decide.

        Args:
            up_to: The latest `due` to list; None for all.
        """
        condition, values = "referral_id = :referral", {"referral": referral_id}
        if up_to:
            # Sorts after every id that begins with that time.
            condition, values = (f"{condition} AND notice_id <= :last", {**values, "last": f"{_ID_PREFIX}{up_to}_~"})
        rows = self.table.query_all(condition, values, index="by_referral", limit=_READ_LIMIT, newest_first=True)
        return (_item_to_sent_notice(row) for row in rows if row["tenant_id"] == tenant_id)

    def count_unread(self, member_id: str, *, among: int = 100) -> int:
        """Count the unread notices among the newest `among` ones."""
        page = self.table.query("member_id = :member", {"member": member_id}, limit=among, newest_first=True)
        return sum("read_at" not in item for item in page.items)

    def _notice_to_item(self, notice: Notice) -> Item:
        context = _build_encryption_context(notice.member_id, notice.notice_id)
        return {
            "member_id": notice.member_id,
            "notice_id": notice.notice_id,
            "tenant_id": notice.tenant_id,
            "outbox_id": notice.outbox_id,
            "rule": notice.rule,
            "title": notice.title,
            # An index key cannot be empty, so a notice about several patients is not in the index.
            "referral_id": notice.referral_id or None,
            "alias": self._encrypt(notice, notice.alias, context),
            "detail": (self._encrypt(notice, notice.detail, f"{context}/detail") if notice.detail else None),
            "created_at": to_timestamp(notice.created_at),
            "category": notice.category,
            "mail_id": notice.mail_id,
        }

    def _encrypt(self, notice: Notice, text: str, context: str) -> bytes:
        return self.encryption.encrypt(
            text.encode(), scope=notice.tenant_id, context=context, referral_id=notice.referral_id
        )


def _build_encryption_context(member_id: str, notice_id: str) -> str:
    return f"notice/{member_id}/{notice_id}"


def _item_to_sent_notice(item: Item) -> SentNotice:
    return SentNotice(
        notice_id=item["notice_id"],
        due=item["notice_id"].removeprefix(_ID_PREFIX).partition("_")[0],
        member_id=item["member_id"],
        outbox_id=item["outbox_id"],
        rule=item["rule"],
        title=item["title"],
        category=Category(item.get("category", Category.STATUS_UPDATE)),
        created_at=from_timestamp(item["created_at"]),
        mail_id=item.get("mail_id"),
        read_at=from_timestamp(item["read_at"]) if "read_at" in item else None,
    )


def format_due_time(at: datetime) -> str:
    """Format a time as the beginning of a notice id, so that ids sort by time."""
    return f"{at:%Y%m%dT%H%M%S%f}"
