"""Saved views of worklists: the partition `views#<tenant>` of the `referrals` table.

The item is the member's id, or `shared` for the views of the organization. A name is free text, so the views are
encrypted with the organization's key.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.saved_views import SavedView, SavedViews
from chalicelib.store.platform.codec import to_compact_json
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption

SHARED = "shared"
"""The item of the views that the members of an organization share."""

SAVED_VIEWS_WRITE = "saved views"
"""The name of the write. If it fails, someone else changed the views after they were read."""


@dataclass(frozen=True, slots=True)
class SavedViewsStore:
    """Reads and writes saved views."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def get_both(self, member: Member) -> tuple[SavedViews, SavedViews]:
        """Read a member's own views and those of the organization."""
        partition = _build_partition(member.tenant_id)
        rows = self.table.get_many([{"referral_id": partition, "item": item} for item in (member.member_id, SHARED)])
        found = {row["item"]: self.load_row(row, member.tenant_id) for row in rows}
        return found.get(member.member_id, SavedViews()), found.get(SHARED, SavedViews())

    def prepare_save(
        self, tenant_id: str, item: str, views: Sequence[SavedView], *, version: int
    ) -> tuple[SavedViews, TransactionWrite]:
        """Build the next version of the views of a member or an organization, and the write that stores it."""
        saved = SavedViews(views=views, version=version + 1)
        partition = _build_partition(tenant_id)
        content = to_compact_json([{"name": view.name, "query": dict(view.query)} for view in views])
        row = {
            "referral_id": partition,
            "item": item,
            "content": self.encryption.encrypt(content.encode(), scope=tenant_id, context=f"{partition}/{item}"),
            "version": saved.version,
        }
        write = self.table.prepare_put(
            SAVED_VIEWS_WRITE,
            row,
            when="version = :read" if version else "attribute_not_exists(version)",
            values={"read": version} if version else None,
        )
        return saved, write

    def load_row(self, row: Item, tenant_id: str) -> SavedViews:
        """Return the views that a row stores."""
        context = f"{row['referral_id']}/{row['item']}"
        content = json.loads(self.encryption.decrypt(row["content"], scope=tenant_id, context=context))
        views = [SavedView(name=each["name"], query=each["query"]) for each in content]
        return SavedViews(views=views, version=int(row["version"]))


def _build_partition(tenant_id: str) -> str:
    return f"views#{tenant_id}"
