"""Hash chains: rows that cannot be edited, removed, inserted or swapped without a trace.

Each row carries its number, the hash of the row before it, and its own hash over all of that.
What a chain alone cannot tell is whether its last rows are missing; for that its head is kept
elsewhere, or a checkpoint has counted them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

GENESIS_HASH = "0" * 64
"""What the first row of a chain names as the row before it."""


class ChainHead(NamedTuple):
    """The last row of a chain: its number, 0 for none, and its hash."""

    seq: int = 0
    hash: str = GENESIS_HASH


EMPTY_CHAIN = ChainHead()
"""The head of a chain that has no row yet."""


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """A place where a chain is not what it was."""

    chain: str
    seq: int
    problem: str


def link_row(facts: Mapping[str, Any], head: ChainHead) -> dict[str, Any]:
    """The row that comes after `head`: the facts with number, link and hash."""
    row = {**facts, "seq": head.seq + 1, "prev": head.hash}
    return {**row, "hash": hash_row(row)}


def hash_row(row: Mapping[str, Any]) -> str:
    """The hash of a row over everything in it but the hash itself; absent is not empty."""
    hashed_fields = {k: v for k, v in row.items() if k != "hash" and v is not None}
    text = json.dumps(hashed_fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def find_breaks(chain: str, rows: Iterable[Mapping[str, Any]], *, head: ChainHead | None) -> list[ChainBreak]:
    """Everything that is wrong with a chain, its rows in the order of their keys.

    Args:
        chain: Its name.
        rows: As they are stored.
        head: Where it must end; None where that is not known.
    """
    found: list[ChainBreak] = []
    at = ChainHead()
    for row in rows:
        seq = row["seq"] if isinstance(row.get("seq"), int) else 0
        if row.get("hash") != hash_row(row):
            found.append(ChainBreak(chain, seq, "edited"))
        if seq != at.seq + 1:
            found.append(ChainBreak(chain, seq, "a row before it is missing, or it was put in"))
        elif row.get("prev") != at.hash:
            found.append(ChainBreak(chain, seq, "not linked to the row before it"))
        at = ChainHead(seq, str(row.get("hash")))
    if head is not None and at != head:
        found.append(ChainBreak(chain, at.seq, "does not end where it should"))
    return found


def digest_hashes(hashes: Iterable[str]) -> str:
    """One hash for many rows, whatever their order."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def has_count_mismatch(chain_rows: Sequence[str], counted_rows: int, expected: str) -> bool:
    """Whether the rows of a checkpoint's time are other than those that it counted."""
    return len(chain_rows) != counted_rows or digest_hashes(chain_rows) != expected
