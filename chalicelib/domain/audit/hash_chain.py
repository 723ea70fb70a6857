"""Hash chains: rows that cannot be edited, removed, inserted or swapped without detection.

Each row contains its number, the hash of the previous row, and its own hash over all its fields.
A chain alone cannot show that its last rows are missing; for that, the head of the chain is
stored elsewhere, or a checkpoint has counted the rows.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

GENESIS_HASH = "0" * 64
"""The previous hash in the first row of a chain."""

MISSING_OR_INSERTED = "the previous row is missing, or this row was inserted"
"""What a gap in a chain looks like."""


class ChainHead(NamedTuple):
    """The last row of a chain: its number (0 if there is none) and its hash. Field names are stored."""

    seq: int = 0
    hash: str = GENESIS_HASH


EMPTY_CHAIN = ChainHead()
"""The head of a chain without rows."""


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """A row at which a chain was changed."""

    chain: str
    seq: int
    problem: str


def link_row(facts: Mapping[str, Any], head: ChainHead) -> dict[str, Any]:
    """Build the row after `head`: the facts with number, previous hash and hash."""
    row = {**facts, "seq": head.seq + 1, "prev": head.hash}
    return {**row, "hash": hash_row(row)}


def hash_row(row: Mapping[str, Any]) -> str:
    """Hash all fields of a row except the hash itself; a missing field differs from an empty one."""
    hashed_fields = {k: v for k, v in row.items() if k != "hash" and v is not None}
    text = json.dumps(hashed_fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def find_breaks(chain: str, rows: Iterable[Mapping[str, Any]], *, head: ChainHead | None) -> list[ChainBreak]:
    """Find every break in a chain.

    Args:
        chain: The name of the chain.
        rows: The stored rows, in the order of their keys.
        head: The expected last row; None if unknown.
    """
    breaks: list[ChainBreak] = []
    previous = ChainHead()
    for row in rows:
        seq = row["seq"] if isinstance(row.get("seq"), int) else 0
        if row.get("hash") != hash_row(row):
            breaks.append(ChainBreak(chain, seq, "edited"))
        if seq != previous.seq + 1:
            breaks.append(ChainBreak(chain, seq, MISSING_OR_INSERTED))
        elif row.get("prev") != previous.hash:
            breaks.append(ChainBreak(chain, seq, "not linked to the previous row"))
        previous = ChainHead(seq, str(row.get("hash")))
    if head is not None and previous != head:
        breaks.append(ChainBreak(chain, previous.seq, "does not end at the expected row"))
    return breaks


def digest_hashes(hashes: Iterable[str]) -> str:
    """Compute one hash for many rows, independent of their order."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def has_count_mismatch(chain_rows: Sequence[str], counted_rows: int, expected: str) -> bool:
    """Whether the rows in a checkpoint's period differ from those that it counted."""
    return len(chain_rows) != counted_rows or digest_hashes(chain_rows) != expected
