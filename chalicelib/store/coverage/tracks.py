"""The coverage of a referral in the referral's partition, encrypted with the practice's key.

    item                                   what
    coverage                               the current state with what was entered, one item per referral
    coverage_change#<time>#<number>        a move that was made, never changed

The states and dates are also part of the referral, so that decisions and lists need no second read. Both are
written in one transaction. These rows sort before what a decision reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.coverage.track import NO_TRACK, CoverageChange, CoverageTrack
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import to_timestamp

COVERAGE_WRITE = "coverage"
"""The name of the write of the current state in a `ConditionFailedError`."""

_ITEM = "coverage"
_CHANGE_PREFIX = "coverage_change#"


@dataclass(frozen=True, slots=True)
class CoverageTracks:
    """Reads and writes the coverage in the `referrals` table. `scope` is the practice."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def get(self, referral_id: str, *, scope: str) -> CoverageTrack:
        """Read the current state, strongly consistent. Before anything was recorded it is empty."""
        item = self.table.get({"referral_id": referral_id, "item": _ITEM})
        return codec.from_json(CoverageTrack, self._decrypt(item, scope)) if item else NO_TRACK

    def prepare_save(self, referral_id: str, track: CoverageTrack, *, scope: str) -> TransactionWrite:
        """Build the write of a changed state. It fails if someone changed the coverage after it was read."""
        item = self._encrypt(referral_id, _ITEM, codec.to_json(CoverageTrack, track), scope)
        item |= {"version": track.version}
        if track.version == 1:
            return self.table.prepare_put(COVERAGE_WRITE, item, when="attribute_not_exists(referral_id)")
        return self.table.prepare_put(COVERAGE_WRITE, item, when="version = :read", values={"read": track.version - 1})

    def prepare_add_change(
        self, referral_id: str, change: CoverageChange, change_id: str, *, scope: str
    ) -> TransactionWrite:
        """Build the write that adds a move to the history. It never replaces another one."""
        item_key = f"{_CHANGE_PREFIX}{to_timestamp(change.at)}#{change_id}"
        item = self._encrypt(referral_id, item_key, codec.to_json(CoverageChange, change), scope)
        return self.table.prepare_put("coverage_change", item, when="attribute_not_exists(referral_id)")

    def list_changes(
        self, referral_id: str, *, scope: str, limit: int, start: Mapping[str, Any] | None = None
    ) -> tuple[Sequence[CoverageChange], Mapping[str, Any] | None]:
        """List one page of the moves, newest first, strongly consistent."""
        page = self.table.query(
            "referral_id = :id AND begins_with(#item, :prefix)",
            {"id": referral_id, "prefix": _CHANGE_PREFIX},
            limit=limit,
            start=start,
            newest_first=True,
        )
        changes = [codec.from_json(CoverageChange, self._decrypt(item, scope)) for item in page.items]
        return changes, page.next_key

    def _encrypt(self, referral_id: str, item_key: str, text: str, scope: str) -> Item:
        encrypted = self.encryption.encrypt(
            text.encode(), scope=scope, context=f"{referral_id}/{item_key}", referral_id=referral_id
        )
        return {"referral_id": referral_id, "item": item_key, "told": encrypted}

    def _decrypt(self, item: Item, scope: str) -> bytes:
        context = f"{item['referral_id']}/{item['item']}"
        return self.encryption.decrypt(item["told"], scope=scope, context=context)
