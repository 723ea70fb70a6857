"""The `audit` table: who read or wrote which referral, refused tries too. Append-only, chained.

A referral has two chains. Its writes are one, and its head is kept in the referral itself, so
that a write needs no other read and writers of other referrals never wait. Reads and refusals
are the other, `…/reads`; two people who read one referral at the same instant may have to try
twice. What others do (a list, a member, a secret) has chains of its own.

A row names people, ids and outcomes, never what was read or written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from chalicelib.domain.audit.hash_chain import NO_ROW, Head, linked
from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import Item, Table, Write
from chalicelib.store.platform.timestamps import instant

SHARDS = 4
"""Partitions of a day of the index that checkpoints count by: 4,000 rows a second."""

CHECKPOINTS = "checkpoints"
"""The chain of checkpoints."""

_ANCHOR = "checkpoints"
"""The row of the keys' table that says where the checkpoints end; no scope has this name."""

TRIES = 12
_KEPT_HEADS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One touch of a referral.

    Attributes:
        referral_id: The referral, or what else was touched, as `member#…`.
        actor_id: A member, a center's feed, or a job.
        action: What was tried, as `referral.read` or `event.accepted`.
        outcome: `allowed` or the code of the refusal.
    """

    referral_id: str
    at: datetime
    actor_id: str
    tenant_id: str
    action: str
    outcome: str = "allowed"
    request_id: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """Appends rows; nothing changes or removes one.

    `anchors` is the table of keys: who may write audit rows alone cannot write there.
    """

    table: Table
    anchors: Table
    _heads: dict[str, Head] = field(default_factory=dict)

    def after(self, entry: AuditEntry, head: Head) -> tuple[Write, Head]:
        """The write of a row behind a known head, and the head that it makes."""
        row = linked(_facts(entry), head)
        write = self._putting(entry.referral_id, row, name="audit")
        return write, Head(row["seq"], row["hash"])

    def appending(self, entry: AuditEntry) -> Write:
        """The write of a row of its own chain, for a transaction. Reads the chain's head."""
        chain = _beside(entry.referral_id)
        return self._putting(chain, linked(_facts(entry), self.head(chain)), name="audit")

    def append(self, entry: AuditEntry) -> None:
        """Report something that wrote nothing else: a read, or a refusal. One small write.

        Raises:
            UnavailableError: others appended so fast that no place was found.
        """
        chain = _beside(entry.referral_id)
        head = self._heads.get(chain) or self.head(chain)
        for _ in range(TRIES):
            row = linked(_facts(entry), head)
            if self.table.put(_item(chain, row), when="attribute_not_exists(referral_id)"):
                self._remember(chain, Head(row["seq"], row["hash"]))
                return
            head = self.head(chain)
        raise UnavailableError("busy")

    def checkpointing(
        self, *, at: datetime, sealed: str, told: Mapping[str, Any]
    ) -> tuple[Write, Head]:
        """The write of a checkpoint, and the head that it makes. Of two at once one is refused."""
        row = linked({"at": instant(at), "sealed": sealed, **told}, self.head(CHECKPOINTS))
        write = self._putting(CHECKPOINTS, row, name="checkpoint")
        return write, Head(row["seq"], row["hash"])

    def anchoring(self, sealed: bytes) -> Write:
        """The write that keeps where the checkpoints end in another table than theirs."""
        return self.anchors.putting("anchor", {"scope": _ANCHOR, "sealed": sealed})

    def anchor(self) -> bytes | None:
        """What `anchoring` kept."""
        row = self.anchors.get({"scope": _ANCHOR})
        kept: bytes | None = row["sealed"] if row else None
        return kept

    def head(self, chain: str) -> Head:
        """Where a chain ends, strongly consistent."""
        row = self.last(chain)
        return Head(row["seq"], row["hash"]) if row else NO_ROW

    def last(self, chain: str) -> Item | None:
        """The last row of a chain, strongly consistent."""
        page = self.table.query(
            "referral_id = :chain", {"chain": chain}, limit=1, newest_first=True
        )
        return chained(page.items[0]) if page.items else None

    def rows(self, chain: str) -> Iterator[Item]:
        """Every row of a chain in order, as it was chained."""
        return map(chained, self.stored(chain))

    def stored(self, chain: str) -> Iterator[Item]:
        """Every row of a chain in order, as it is stored."""
        return self.table.every("referral_id = :chain", {"chain": chain})

    def of_day(self, day: date) -> Iterator[Item]:
        """The rows of a day, of whatever chain, by the index; key attributes and hashes."""
        return self.of_span(day, day.isoformat(), f"{day.isoformat()}~")

    def of_span(self, day: date, since: str, upto: str) -> Iterator[Item]:
        """The rows of a part of a day, from one instant up to another."""
        for shard in range(SHARDS):
            yield from self.table.every(
                "#day = :day AND placed_at BETWEEN :since AND :upto",
                {"day": f"{day.isoformat()}#{shard}", "since": since, "upto": upto},
                index="by_day",
            )

    def _remember(self, chain: str, head: Head) -> None:
        if len(self._heads) >= _KEPT_HEADS:
            self._heads.clear()
        self._heads[chain] = head

    def _putting(self, chain: str, row: dict[str, Any], *, name: str) -> Write:
        return self.table.putting(name, _item(chain, row), when="attribute_not_exists(referral_id)")


def chained(item: Item) -> Item:
    """A stored row without what only the table needs."""
    table_only = ("referral_id", "entry", "day", "placed_at")
    return {name: value for name, value in item.items() if name not in table_only}


def stands_right(item: Item) -> bool:
    """Whether a stored row is where its own words put it: in its chain, and in the index."""
    row, chain = chained(item), str(item["referral_id"])
    try:
        meant = _item(chain, row)
    except (KeyError, TypeError, ValueError):
        return False
    subject = str(row.get("subject", CHECKPOINTS))
    return item == meant and chain in (subject, _beside(subject))


def _beside(referral_id: str) -> str:
    """The chain of a referral's reads and refusals; other things have but one chain."""
    return f"{referral_id}/reads"


def _facts(entry: AuditEntry) -> dict[str, Any]:
    return {
        "subject": entry.referral_id,
        "at": instant(entry.at),
        "actor_id": entry.actor_id,
        "tenant_id": entry.tenant_id,
        "action": entry.action,
        "outcome": entry.outcome,
        "request_id": entry.request_id or None,
        "version": entry.version,
    }


def _item(chain: str, row: dict[str, Any]) -> Item:
    shard = int(str(row["hash"])[:2], 16) % SHARDS
    return {
        "referral_id": chain,
        "entry": f"{row['seq']:012d}",
        "day": f"{str(row['at'])[:10]}#{shard}",
        # The tail keeps two rows of one microsecond apart in the index.
        "placed_at": f"{row['at']}#{str(row['hash'])[:10]}",
        **row,
    }
