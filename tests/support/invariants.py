"""All tables at the end, and what cannot be right about a referral in them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import Item, unmarshal
from tests.support.aws_fakes import PREFIX

_TABLES = ("referrals", "outbox", "audit", "deliveries", "notices")


@dataclass(frozen=True)
class TableSnapshot:
    """Every table, read once, with rows by what they are about."""

    stores: Stores
    rows: Mapping[str, Mapping[str, Sequence[Item]]]

    @classmethod
    def read(cls, stores: Stores) -> "TableSnapshot":
        """Read every table."""
        found: dict[str, dict[str, list[Item]]] = {name: defaultdict(list) for name in _TABLES}
        scan = stores.referrals.table.client().get_paginator("scan")
        for name, rows in found.items():
            for page in scan.paginate(TableName=f"{PREFIX}{name}"):
                for row in map(unmarshal, page["Items"]):
                    rows[row["referral_id"]].append(row)
        return cls(stores, found)

    def list_rows_about(self, table: str, *keys: str) -> list[Item]:
        """Return the rows of a table about a referral, or of chains about it."""
        return [row for key in keys for row in self.rows[table].get(key, ())]

    def list_mails(self, referral_id: str) -> list[Item]:
        """Return the emails about a referral in any state."""
        return [row for row in self.list_rows_about("outbox", referral_id) if row["rule"] == "mail"]

    def find_violations(
        self,
        referral_id: str,
        stages: Sequence[str],
        *,
        writes: int = 0,
        deliveries: int = 1,
        waiting: int = 0,
        audited: Sequence[str] | None = None,
    ) -> list[str]:
        """List each way in which a write may have been lost, doubled or left half done.

        Args:
            referral_id: The referral.
            stages: The stages that its events led to.
            writes: How often it was written before them.
            deliveries: How many deliveries about it are logged.
            waiting: How many of them are parked.
            audited: The audit actions of its events, if not one row each.
        """
        rows = {row["item"]: row for row in self.list_rows_about("referrals", referral_id)}
        head = rows.pop("referral", {})
        chains = (referral_id, f"{referral_id}/reads")
        actions = [row["action"] for row in self.list_rows_about("audit", *chains)]
        opened = self.stores.referrals.items.item_to_event
        events = [opened(rows[item]) for item in sorted(rows) if item.startswith("event#")]
        tasks = [row["stage"] for row in self.list_rows_about("outbox", referral_id) if "stage" in row]
        result: dict[str, tuple[Any, Any]] = {
            "stage": (head.get("stage"), stages[-1] if stages else head.get("stage")),
            "version": (head.get("version"), writes + len(stages)),
            "events": ([getattr(logged.event, "stage", None) for logged in events], stages),
            "status": ({logged.status for logged in events} - {"applied"}, set()),
            "waiting": (len(rows) - len(events), waiting),
            "tasks": (sorted(tasks), sorted(stages)),
            "audit": (
                sorted(action for action in actions if action.startswith("event.")),
                sorted(f"event.{stage}" for stage in audited or stages),
            ),
            "deliveries": (len(self.list_rows_about("deliveries", referral_id)), deliveries),
        }
        return [name for name, (found, wanted) in result.items() if found != wanted]
