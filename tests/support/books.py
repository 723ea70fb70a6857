"""All tables as they are in the end, and what about a referral in them cannot be right."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.notices import GIVE_UP
from chalicelib.store.dynamo import Item
from chalicelib.store.stores import Stores
from tests.support import shelves

_TABLES = ("referrals", "outbox", "audit", "deliveries", "notices")


@dataclass(frozen=True)
class Books:
    """Every table, read once; rows by what they are about."""

    stores: Stores
    rows: Mapping[str, Mapping[str, Sequence[Item]]]

    @classmethod
    def read(cls, stores: Stores) -> "Books":
        """Read every table."""
        found: dict[str, dict[str, list[Item]]] = {}
        for table in _TABLES:
            found[table] = defaultdict(list)
            for row in shelves.rows(table):
                found[table][row["referral_id"]].append(row)
        return cls(stores, found)

    def about(self, table: str, *keys: str) -> list[Item]:
        """The rows of a table that are about a referral, or of chains about it."""
        return [row for key in keys for row in self.rows[table].get(key, ())]

    def what_is_wrong(
        self,
        referral_id: str,
        stages: Sequence[str],
        *,
        deliveries: int = 1,
        waiting: int = 0,
        audited: Sequence[str] | None = None,
    ) -> list[str]:
        """Each way in which a write may have been lost, doubled or left half done."""
        rows = {row["item"]: row for row in self.about("referrals", referral_id)}
        head = rows.pop("referral", {})
        chains = (referral_id, f"{referral_id}/reads")
        opened = self.stores.referrals.items.event
        events = [opened(rows[item]) for item in sorted(rows) if item.startswith("event#")]
        told_of = [row for row in self.about("outbox", referral_id) if row["rule"] != GIVE_UP]
        told: dict[str, tuple[Any, Any]] = {
            "stage": (head.get("stage"), stages[-1]),
            "version": (head.get("version"), len(stages)),
            "events": ([getattr(logged.event, "stage", None) for logged in events], stages),
            "status": ({logged.status for logged in events}, {"applied"}),
            "waiting": (len(rows) - len(events), waiting),
            "tasks": (sorted(task["stage"] for task in told_of), sorted(stages)),
            "audit": (
                sorted(row["action"] for row in self.about("audit", *chains)),
                sorted(f"event.{stage}" for stage in audited or stages),
            ),
            "deliveries": (len(self.about("deliveries", referral_id)), deliveries),
        }
        return [name for name, (found, wanted) in told.items() if found != wanted]
