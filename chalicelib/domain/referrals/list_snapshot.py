"""What counts need to know of each referral of a tenant at one time, packed.

To count a long list, it is not decrypted again: a snapshot is counted, without the referrals that changed since.
Of each referral it has the stage, the worklists of each day, the values of the filters, and for the latest changes
what decides whether they are unread. It has nothing that identifies a patient, and of the id of a referral only a part
of its hash.
"""

import json
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from chalicelib.domain.referrals.list_counts import FilterValues, ListCounts
from chalicelib.domain.referrals.stages import Stage
from chalicelib.domain.referrals.unread import VIEWED_VERSIONS_KEPT_FOR, LastViewed, LastWriter
from chalicelib.domain.referrals.worklist_days import WorklistDays
from chalicelib.domain.referrals.worklists import Worklist

SNAPSHOT_FORMAT = 1
"""Raise it when a snapshot is packed in another way, or when what is counted changes within a release."""

_KEY_BYTES = 6
"""Two of 10,000 referrals have the same key in one of six million lists, and such a list gets no snapshot. A later
referral has the key of one of 10,000 in the snapshot once in 28 billion times."""

_ROW = Struct("<6sHHII")
"""Of each referral: its key, the numbers of its state and of its filter values, and its two days as ordinals."""

_CHANGE = Struct("<HIIQ")
"""Of each recent change: the number of its writer, the version, that of others, and its microsecond."""

_MAX_NUMBERS = 0x10000
_NEVER = 0xFFFFFFFF
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class SnapshotRow(NamedTuple):
    """What a snapshot has of one referral."""

    referral_id: str
    stage: Stage
    worklist_days: WorklistDays
    values: FilterValues
    version: int
    last_writer: LastWriter
    updated_at: datetime


class _State(NamedTuple):
    """A stage, and the worklists before each of the days of a referral and after the last one."""

    stage: Stage
    worklists: Sequence[Sequence[Worklist]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSnapshot:
    """The referrals of a tenant at one time.

    Attributes:
        rows: Of each referral its key, the numbers of its state and of its filter values, and the two days on which
            its worklists change.
        changes: Of those that changed in the last 90 days, by key: the last writer, the version, and the time.
    """

    states: Sequence[_State]
    values: Sequence[FilterValues]
    rows: Sequence[tuple[bytes, int, int, int, int]]
    changes: Mapping[bytes, tuple[LastWriter, int, datetime]]

    def add_to(
        self, counts: ListCounts, *, changed_ids: Collection[str], today: date, last_viewed: LastViewed | None
    ) -> None:
        """Add the referrals to counts that already have those that changed since.

        Args:
            counts: What is counted.
            changed_ids: The ids of the referrals that changed since.
            today: The day in the time zone of the tenant.
            last_viewed: What the reader viewed last; None to count nothing as unread.
        """
        changed, day = set(map(_compute_key, changed_ids)), today.toordinal()
        kept = [row for row in self.rows if row[0] not in changed]
        states = Counter((state, (first <= day) + (second <= day)) for _, state, _, first, second in kept)
        for (state, days_begun), number in states.items():
            stage, worklists = self.states[state]
            counts.add_stage(stage, worklists[days_begun], number)
        for value, number in Counter(value for _, _, value, _, _ in kept).items():
            counts.add_values(self.values[value], number)
        if last_viewed:
            counts.worklists[Worklist.CHANGED_SINCE_SEEN] += self._count_unread(changed, last_viewed)

    def _count_unread(self, changed: Collection[bytes], last_viewed: LastViewed) -> int:
        viewed = {_compute_key(referral_id).hex(): each for referral_id, each in last_viewed.referrals.items()}
        by_key = LastViewed(member_id=last_viewed.member_id, referrals=viewed, now=last_viewed.now)
        return sum(
            by_key.has_unread(writer, referral_id=key.hex(), version=version, updated_at=updated_at)
            for key, (writer, version, updated_at) in self.changes.items()
            if key not in changed
        )


def pack_snapshot(referrals: Sequence[SnapshotRow], *, now: datetime) -> bytes | None:
    """Pack a snapshot of referrals, the latest change first. None if there are too many, or two have the same key."""
    states, values, writers = _Numbers(), _Numbers(), _Numbers()
    rows = [
        (_compute_key(each.referral_id), states[_to_state(each)], values[each.values], *_number_days(each))
        for each in referrals
    ]
    changes = [
        (writers[each.last_writer.by], each.version, each.last_writer.after, (each.updated_at - _EPOCH) // _MICROSECOND)
        for each in referrals
        if now - each.updated_at <= VIEWED_VERSIONS_KEPT_FOR
    ]
    if len({row[0] for row in rows}) < len(rows) or max(map(len, (states, values, writers))) > _MAX_NUMBERS:
        return None
    header = {"rows": len(rows), "states": list(states), "values": list(values), "writers": list(writers)}
    packed = [*(_ROW.pack(*row) for row in rows), *(_CHANGE.pack(*change) for change in changes)]
    return b"".join((json.dumps(header).encode(), b"\n", *packed))


def unpack_snapshot(packed: bytes) -> ListSnapshot:
    """Unpack what `pack_snapshot` returned."""
    head, _, body = packed.partition(b"\n")
    header = json.loads(head)
    end_of_rows, writers = header["rows"] * _ROW.size, header["writers"]
    rows = list(_ROW.iter_unpack(body[:end_of_rows]))
    changes = _CHANGE.iter_unpack(body[end_of_rows:])
    return ListSnapshot(
        states=[
            _State(Stage(stage), [list(map(Worklist, each)) for each in lists]) for stage, lists in header["states"]
        ],
        values=[FilterValues(*each) for each in header["values"]],
        rows=rows,
        changes={
            row[0]: (LastWriter(writers[writer], after), version, _EPOCH + time * _MICROSECOND)
            for row, (writer, version, after, time) in zip(rows, changes, strict=False)
        },
    )


class _Numbers(dict[Hashable, int]):
    """Numbers different values from 0, in the order in which they are first used."""

    def __missing__(self, value: Hashable) -> int:
        return self.setdefault(value, len(self))


def _to_state(referral: SnapshotRow) -> Hashable:
    return referral.stage, tuple(tuple(sorted(each)) for each in referral.worklist_days.worklists)


def _number_days(referral: SnapshotRow) -> Iterable[int]:
    first, second, *_ = (*(day.toordinal() for day in referral.worklist_days.days), _NEVER, _NEVER)
    return first, second


def _compute_key(referral_id: str) -> bytes:
    return blake2b(referral_id.encode(), digest_size=_KEY_BYTES).digest()
