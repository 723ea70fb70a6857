"""The `audit` table: who read or wrote which referral, including refused attempts.

Rows are only appended, and each row has the hash of the one before it (a hash chain).

A referral has two chains. One has its writes. The head of this chain is stored in the referral
itself, so a write needs no other read, and writers of other referrals never wait. The other chain,
`…/reads`, has reads and refusals; two people who read one referral at the same moment may have to
try twice. Other subjects (a list, a member, a secret) have their own chains.

A row names people, ids and outcomes, never what was read or written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from chalicelib.domain.audit.hash_chain import EMPTY_CHAIN, ChainHead, link_row
from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import DynamoTable, Item, QueryPage, TransactionWrite
from chalicelib.store.platform.filtered_pages import query_filtered_page
from chalicelib.store.platform.timestamps import to_timestamp

SHARDS = 4
"""Partitions per day of the index that checkpoints use to count rows: 4,000 rows a second."""

CHECKPOINTS = "checkpoints"
"""The chain of checkpoints."""

_ANCHOR_KEY = "checkpoints"
"""The row of the `keys` table that stores where the checkpoints end. No scope has this name."""

MAX_ATTEMPTS = 12
_CACHED_HEADS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One access to a referral.

    Attributes:
        referral_id: The referral, or another subject such as `member#…`.
        actor_id: A member, a center's system, or a job.
        action: What was attempted, such as "referral.read" or "event.accepted".
        outcome: `allowed` or the code of the refusal.
        reason: Why an operator did it: a code, and the number of a ticket; empty for anything else.
    """

    referral_id: str
    at: datetime
    actor_id: str
    tenant_id: str
    action: str
    outcome: str = "allowed"
    request_id: str = ""
    version: int | None = None
    reason: str = ""

    @property
    def is_about_referral(self) -> bool:
        """Whether the subject is a referral, which has a trail of its own."""
        return self.referral_id.startswith("ref_")


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Appends rows. Nothing changes or removes one.

    `anchors` is the table `keys`: a permission to write only audit rows does not allow a write there.
    """

    table: DynamoTable
    anchors: DynamoTable
    _head_cache: dict[str, ChainHead] = field(default_factory=dict)

    def prepare_append_after(self, entry: AuditEntry, head: ChainHead) -> tuple[TransactionWrite, ChainHead]:
        """Build the write of a row after a known head, and the new head."""
        row = link_row(_build_facts(entry), head)
        write = self._prepare_put(entry.referral_id, row, name="audit")
        return write, ChainHead(row["seq"], row["hash"])

    def prepare_append(self, entry: AuditEntry) -> TransactionWrite:
        """Build the write of a row in its own chain, for a transaction. Reads the head of the chain."""
        chain = _get_access_chain(entry.referral_id)
        facts = _build_facts(entry) if entry.is_about_referral else _add_organization(_build_facts(entry), entry)
        return self._prepare_put(chain, link_row(facts, self.read_head(chain)), name="audit")

    def append(self, entry: AuditEntry) -> None:
        """Append a row about something that wrote nothing else: a read or a refusal. One small write.

        Raises:
            UnavailableError: others appended so fast that every attempt failed.
        """
        chain = _get_access_chain(entry.referral_id)
        head = self._append_row(chain, _build_facts(entry), self._head_cache.get(chain) or self.read_head(chain))
        self._cache_head(chain, head)

    def append_refusal(self, entry: AuditEntry) -> None:
        """Append a row about a refusal: always one read and one write.

        A known head would save the read, but only for an object that exists. The time of the response would
        then show which ids exist.

        Raises:
            UnavailableError: others appended so fast that every attempt failed.
        """
        chain = _get_access_chain(entry.referral_id)
        head = self._append_row(chain, _add_organization(_build_facts(entry), entry), self.read_head(chain))
        if chain in self._head_cache:
            self._cache_head(chain, head)

    def _append_row(self, chain: str, facts: Mapping[str, Any], head: ChainHead) -> ChainHead:
        """Append a row after `head`, or after the row that another writer added since. Returns the new head."""
        for _ in range(MAX_ATTEMPTS):
            row = link_row(facts, head)
            if self.table.put(build_item(chain, row), when="attribute_not_exists(referral_id)"):
                return ChainHead(row["seq"], row["hash"])
            head = self.read_head(chain)
        raise UnavailableError("busy")

    def prepare_checkpoint(
        self, *, at: datetime, ciphertext: str, count: Mapping[str, Any]
    ) -> tuple[TransactionWrite, ChainHead]:
        """Build the write of a checkpoint, and the new head. If two run at once, one of them fails."""
        row = link_row({"at": to_timestamp(at), "sealed": ciphertext, **count}, self.read_head(CHECKPOINTS))
        write = self._prepare_put(CHECKPOINTS, row, name="checkpoint")
        return write, ChainHead(row["seq"], row["hash"])

    def prepare_anchor(self, ciphertext: bytes) -> TransactionWrite:
        """Build the write that stores the end of the checkpoints in another table than the checkpoints."""
        return self.anchors.prepare_put("anchor", {"scope": _ANCHOR_KEY, "sealed": ciphertext})

    def read_anchor(self) -> bytes | None:
        """Read what `prepare_anchor` stored."""
        row = self.anchors.get({"scope": _ANCHOR_KEY})
        ciphertext: bytes | None = row["sealed"] if row else None
        return ciphertext

    def read_head(self, chain: str) -> ChainHead:
        """Read the end of a chain, strongly consistent."""
        row = self.read_last_row(chain)
        return ChainHead(row["seq"], row["hash"]) if row else EMPTY_CHAIN

    def read_last_row(self, chain: str) -> Item | None:
        """Read the last row of a chain, strongly consistent."""
        page = self.table.query("referral_id = :chain", {"chain": chain}, limit=1, newest_first=True)
        return to_chained_row(page.items[0]) if page.items else None

    def list_chained_rows(self, chain: str, *, after: int = 0) -> Iterator[Item]:
        """List the rows of a chain after a number in order, as they were hashed."""
        rows = self.table.query_all(
            "referral_id = :chain AND #entry > :after", {"chain": chain, "after": format_entry(after)}
        )
        return map(to_chained_row, rows)

    def list_stored_rows(self, chain: str) -> Iterator[Item]:
        """List every row of a chain in order, as it is stored."""
        return self.table.query_all("referral_id = :chain", {"chain": chain})

    def list_newest_rows(self, chain: str, *, before: int | None, limit: int) -> Sequence[Item]:
        """List the rows of a chain before a number, newest first, as they were hashed."""
        condition, values = "referral_id = :chain", {"chain": chain}
        if before is not None:
            condition, values = f"{condition} AND #entry < :before", {**values, "before": format_entry(before)}
        page = self.table.query(condition, values, limit=limit, newest_first=True)
        return [to_chained_row(item) for item in page.items]

    def list_organization_page(
        self, tenant_id: str, *, actor_id: str | None, limit: int, start: Mapping[str, Any] | None
    ) -> QueryPage:
        """List one page of the rows in the trail of an organization, newest first, from the index.

        With an actor, only that actor's rows. Such a page can be short although others follow.
        """
        return query_filtered_page(
            self.table,
            "organization = :tenant",
            {"tenant": tenant_id} | ({"actor": actor_id} if actor_id else {}),
            index="by_organization",
            key_names=("organization", "placed_at", "referral_id", "entry"),
            where="actor_id = :actor" if actor_id else None,
            limit=limit,
            start=start,
        )

    def list_rows_of_day(self, day: date) -> Iterator[Item]:
        """List the rows of a day in all chains, from the index: key attributes and hashes."""
        return self.list_rows_between(day, day.isoformat(), f"{day.isoformat()}~")

    def list_day_page(self, day: date, shard: int, *, start: Mapping[str, Any] | None) -> QueryPage:
        """List one page of a shard of a day, from the index: key attributes and hashes."""
        return self.table.query(
            "#day = :day", {"day": f"{day.isoformat()}#{shard}"}, index="by_day", start=start, limit=1000
        )

    def list_rows_between(self, day: date, since: str, until: str) -> Iterator[Item]:
        """List the rows of a part of a day, from one time to another."""
        for shard in range(SHARDS):
            yield from self.table.query_all(
                "#day = :day AND placed_at BETWEEN :since AND :upto",
                {"day": f"{day.isoformat()}#{shard}", "since": since, "upto": until},
                index="by_day",
            )

    def _cache_head(self, chain: str, head: ChainHead) -> None:
        if len(self._head_cache) >= _CACHED_HEADS:
            self._head_cache.clear()
        self._head_cache[chain] = head

    def _prepare_put(self, chain: str, row: dict[str, Any], *, name: str) -> TransactionWrite:
        return self.table.prepare_put(name, build_item(chain, row), when="attribute_not_exists(referral_id)")


def to_chained_row(item: Item) -> Item:
    """Remove the attributes that only the table needs from a stored row."""
    table_only = ("referral_id", "entry", "day", "placed_at")
    return {name: value for name, value in item.items() if name not in table_only}


def is_in_right_place(item: Item) -> bool:
    """Whether a stored row is in the chain, and at the place in the index, that its content says."""
    row, chain = to_chained_row(item), str(item["referral_id"])
    try:
        expected = build_item(chain, row)
    except (KeyError, TypeError, ValueError):
        return False
    subject = str(row.get("subject", CHECKPOINTS))
    return item == expected and chain in (subject, _get_access_chain(subject))


def format_entry(seq: int) -> str:
    """The sort key of the row with a number, so that text order is the order of the numbers."""
    return f"{seq:012d}"


def _get_access_chain(referral_id: str) -> str:
    """The chain of a referral's reads and refusals. Other subjects have only one chain."""
    return f"{referral_id}/reads"


def _build_facts(entry: AuditEntry) -> dict[str, Any]:
    return {
        "subject": entry.referral_id,
        "at": to_timestamp(entry.at),
        "actor_id": entry.actor_id,
        "tenant_id": entry.tenant_id,
        "action": entry.action,
        "outcome": entry.outcome,
        "request_id": entry.request_id or None,
        "version": entry.version,
        "reason": entry.reason or None,
    }


def _add_organization(facts: dict[str, Any], entry: AuditEntry) -> dict[str, Any]:
    """Add the attribute by which a row is in the trail of an organization: its own changes, and every refusal."""
    return {**facts, "organization": entry.tenant_id or None}


def build_item(chain: str, row: dict[str, Any]) -> Item:
    """The row of a chain as the table stores it."""
    shard = int(str(row["hash"])[:2], 16) % SHARDS
    return {
        "referral_id": chain,
        "entry": format_entry(row["seq"]),
        "day": f"{str(row['at'])[:10]}#{shard}",
        # The hash at the end keeps two rows of the same microsecond apart in the index.
        "placed_at": f"{row['at']}#{str(row['hash'])[:10]}",
        **row,
    }
