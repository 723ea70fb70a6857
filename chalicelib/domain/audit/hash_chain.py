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

GENESIS = "0" * 64
"""What the first row of a chain names as the row before it."""


class Head(NamedTuple):
    """The last row of a chain: its number, 0 for none, and its hash."""

    seq: int = 0
    hash: str = GENESIS


NO_ROW = Head()
"""The head of a chain that has no row yet."""


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a chain is not what it was."""

    chain: str
    seq: int
    what: str


def linked(facts: Mapping[str, Any], head: Head) -> dict[str, Any]:
    """The row that comes after `head`: the facts with number, link and hash."""
    row = {**facts, "seq": head.seq + 1, "prev": head.hash}
    return {**row, "hash": row_hash(row)}


def row_hash(row: Mapping[str, Any]) -> str:
    """The hash of a row over everything in it but the hash itself; absent is not empty."""
    told = {k: v for k, v in row.items() if k != "hash" and v is not None}
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def breaks(chain: str, rows: Iterable[Mapping[str, Any]], *, head: Head | None) -> list[Break]:
    """Everything that is wrong with a chain, its rows in the order of their keys.

    Args:
        chain: Its name.
        rows: As they are stored.
        head: Where it must end; None where that is not known.
    """
    found: list[Break] = []
    at = Head()
    for row in rows:
        seq = row["seq"] if isinstance(row.get("seq"), int) else 0
        if row.get("hash") != row_hash(row):
            found.append(Break(chain, seq, "edited"))
        if seq != at.seq + 1:
            found.append(Break(chain, seq, "a row before it is missing, or it was put in"))
        elif row.get("prev") != at.hash:
            found.append(Break(chain, seq, "not linked to the row before it"))
        at = Head(seq, str(row.get("hash")))
    if head is not None and at != head:
        found.append(Break(chain, at.seq, "does not end where it should"))
    return found


def digest(hashes: Iterable[str]) -> str:
    """One hash for many rows, whatever their order."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def uncounted(chain_rows: Sequence[str], counted: int, wanted: str) -> bool:
    """Whether the rows of a checkpoint's time are other than those that it counted."""
    return len(chain_rows) != counted or digest(chain_rows) != wanted
