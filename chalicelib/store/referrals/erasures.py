"""Erased referrals: a row `erased` in the referral's partition.

    item      attributes
    erased    practice_id, tenants, erased_at, audited, state: begun until everything was removed, then done

The row has ids and times, and nothing about the patient. It stays, so that nothing can be written about the
referral again, and so that an erasure that was interrupted can continue. Operators erase, with `infra.erasure`;
the product only reads these rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.audit.hash_chain import ChainHead
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import DynamoTable
from chalicelib.store.platform.timestamps import from_timestamp

ERASED_ITEM = "erased"
BEGUN, DONE = "begun", "done"

GetTable = Callable[[str], DynamoTable]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A referral that was erased. `tenants` are those that had rows about it; `is_done` says that none is left."""

    referral_id: str
    practice_id: str
    tenants: Sequence[str]
    erased_at: datetime
    audit_chain_head: ChainHead
    is_done: bool


@dataclass(frozen=True, slots=True)
class Erasures:
    """Finds erasures. `get_table` returns a table by its name without the prefix."""

    get_table: GetTable

    def get(self, referral_id: str) -> Erasure | None:
        """Read the erasure of a referral, strongly consistent; None if it was not erased."""
        row = self.get_table("referrals").get({"referral_id": referral_id, "item": ERASED_ITEM})
        if row is None:
            return None
        return Erasure(
            referral_id=referral_id,
            practice_id=row["practice_id"],
            tenants=tuple(row["tenants"]),
            erased_at=from_timestamp(row["erased_at"]),
            audit_chain_head=codec.from_json(ChainHead, row["audited"]),
            is_done=row["state"] == DONE,
        )
