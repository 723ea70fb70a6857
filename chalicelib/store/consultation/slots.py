"""The `slots` table: the consultation times of centers, and the weekly patterns that make them.

    slots_of                  item                        what
    patterns                  <center>#<pattern id>       a weekly pattern
    <center>#<year-month>     <start>#<slot id>           a slot, with its seats

The month is that of the start in UTC. All patterns are in one partition, so that the daily job finds them
with one query; a center has a few. No row names a patient: a seat has the id of a referral.

Every change of a slot is a conditional write on `version`. Two people who want the last seat at once
therefore never both get it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.domain.consultation.patterns import SlotPattern
from chalicelib.domain.consultation.slots import Slot
from chalicelib.store.consultation.slot_ids import SlotIds
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.timestamps import to_timestamp

SLOT_WRITE = "slot"
"""The first word of the name of a slot's write in a `ConditionFailedError`."""

PATTERN_WRITE = "pattern"

_PATTERNS = "patterns"


@dataclass(frozen=True, slots=True)
class Slots:
    """Reads slots, and builds the writes that change them."""

    table: DynamoTable
    ids: SlotIds

    def get(self, center_id: str, slot_id: str) -> Slot | None:
        """Read one slot, strongly consistent. None if it does not exist, or is another center's."""
        key = self.ids.read(center_id, slot_id)
        item = self.table.get(_build_key(center_id, key.starts_at, key.slot_id)) if key else None
        return codec.from_json(Slot, item["slot"]) if item else None

    def list_between(self, center_id: str, first: datetime, last: datetime) -> Iterator[Slot]:
        """List a center's slots that start in a range of time, strongly consistent, in order."""
        for month in _list_months(first, last):
            rows = self.table.query_all(
                "slots_of = :of AND #item BETWEEN :first AND :last",
                {"of": f"{center_id}#{month}", "first": to_timestamp(first), "last": f"{to_timestamp(last)}~"},
            )
            yield from (codec.from_json(Slot, row["slot"]) for row in rows)

    def prepare_add(self, slot: Slot) -> TransactionWrite:
        """Build the write of a new slot. It fails if there is one with this id."""
        return self.table.prepare_put(_name_write(slot), _to_item(slot), when="attribute_not_exists(slots_of)")

    def prepare_save(self, slot: Slot) -> TransactionWrite:
        """Build the write of a changed slot. It fails if it changed after it was read, or was removed."""
        values = {"read": slot.version - 1}
        return self.table.prepare_put(_name_write(slot), _to_item(slot), when="version = :read", values=values)

    def prepare_remove(self, slot: Slot) -> TransactionWrite:
        """Build the write that removes a slot. It fails if it changed after it was read."""
        key = _build_key(slot.center_id, slot.starts_at, slot.slot_id)
        values = {"read": slot.version}
        return self.table.prepare_delete(_name_write(slot), key, when="version = :read", values=values)

    def get_pattern(self, center_id: str, pattern_id: str) -> SlotPattern | None:
        """Read one pattern of a center, strongly consistent."""
        item = self.table.get({"slots_of": _PATTERNS, "item": f"{center_id}#{pattern_id}"})
        return codec.from_json(SlotPattern, item["pattern"]) if item else None

    def list_patterns(self, center_id: str | None = None) -> Iterator[SlotPattern]:
        """List the patterns of a center, or of all centers one after the other, strongly consistent."""
        prefix = f"{center_id}#" if center_id else ""
        condition, values = "slots_of = :of", {"of": _PATTERNS}
        if prefix:
            condition, values = f"{condition} AND begins_with(#item, :prefix)", values | {"prefix": prefix}
        return (codec.from_json(SlotPattern, row["pattern"]) for row in self.table.query_all(condition, values))

    def prepare_save_pattern(self, pattern: SlotPattern) -> TransactionWrite:
        """Build the write of a pattern: a new one if its version is 1. It fails if another change was faster."""
        item = {
            "slots_of": _PATTERNS,
            "item": f"{pattern.center_id}#{pattern.pattern_id}",
            "version": pattern.version,
            "pattern": codec.to_json(SlotPattern, pattern),
        }
        if pattern.version == 1:
            return self.table.prepare_put(PATTERN_WRITE, item, when="attribute_not_exists(slots_of)")
        values = {"read": pattern.version - 1}
        return self.table.prepare_put(PATTERN_WRITE, item, when="version = :read", values=values)

    def prepare_check_pattern(self, pattern: SlotPattern) -> TransactionWrite:
        """Build the condition that a pattern did not change after it was read."""
        key = {"slots_of": _PATTERNS, "item": f"{pattern.center_id}#{pattern.pattern_id}"}
        return self.table.prepare_check(PATTERN_WRITE, key, when="version = :read", values={"read": pattern.version})

    def prepare_remove_pattern(self, pattern: SlotPattern) -> TransactionWrite:
        """Build the write that removes a pattern. It fails if it changed after it was read."""
        key = {"slots_of": _PATTERNS, "item": f"{pattern.center_id}#{pattern.pattern_id}"}
        return self.table.prepare_delete(PATTERN_WRITE, key, when="version = :read", values={"read": pattern.version})


def _name_write(slot: Slot) -> str:
    return f"{SLOT_WRITE} {slot.slot_id}"


def _to_item(slot: Slot) -> Item:
    key = _build_key(slot.center_id, slot.starts_at, slot.slot_id)
    return {**key, "version": slot.version, "slot": codec.to_json(Slot, slot)}


def _build_key(center_id: str, starts_at: datetime, slot_id: str) -> Item:
    moment = starts_at.astimezone(UTC)
    return {"slots_of": f"{center_id}#{moment:%Y-%m}", "item": f"{to_timestamp(moment)}#{slot_id}"}


def _list_months(first: datetime, last: datetime) -> Iterator[str]:
    day, end = first.astimezone(UTC).date().replace(day=1), last.astimezone(UTC).date()
    while day <= end:
        yield f"{day:%Y-%m}"
        day = (day + timedelta(days=31)).replace(day=1)
