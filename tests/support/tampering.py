"""What someone who may write only the audit table can do to it.

A tampering takes the rows as they are stored and returns them as they would be found. The attacker
knows how rows are chained, and recomputes every hash.
"""

import copy
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any, TypeAlias

from chalicelib import wiring
from chalicelib.domain.audit.hash_chain import EMPTY_CHAIN, ChainHead, link_row
from chalicelib.store.audit.rows import CHECKPOINTS, build_item, format_entry, to_chained_row
from chalicelib.store.platform.dynamo import marshal, unmarshal

TABLE = "cart-audit"

RowKey: TypeAlias = tuple[str, int]
"""A chain and a number in it."""
Rows: TypeAlias = dict[RowKey, dict[str, Any]]
Tampering: TypeAlias = Callable[[Rows, Random], None]


def read_rows() -> Rows:
    """Return every row as plain values, by its place."""
    found = wiring.get_dynamodb_client().scan(TableName=TABLE)["Items"]
    rows = (unmarshal(item) for item in found)
    return {(str(row["referral_id"]), int(row["entry"])): row for row in rows}


@contextmanager
def apply_tampering(before: Rows, after: Rows):
    """Show the tampered table until the block ends."""
    _write(before, after)
    try:
        yield
    finally:
        _write(after, before)


def build_tampering(before: Rows, seed: int) -> tuple[str, Rows]:
    """Return the rows after one to three tamperings, and their names."""
    chance = Random(seed)  # noqa: S311 a seed makes the same run again
    after = copy.deepcopy(before)
    done: list[str] = []
    while after == before:
        done = chance.choices(sorted(TAMPERINGS), k=chance.choice([1, 1, 1, 2, 3]))
        for name in done:
            TAMPERINGS[name](after, chance)
    return ", ".join(done), after


def touches_protected_rows(before: Rows, after: Rows, *, counted_until: str) -> bool:
    """Whether a tampering changed a row that a checkpoint counted, or whose chain ends in a referral.

    Args:
        before: The rows as they were.
        after: The rows as they would be found.
        counted_until: The end of the last checkpoint.
    """
    changed = [place for place in before.keys() | after.keys() if before.get(place) != after.get(place)]
    return any(
        not place[0].endswith("/reads") or str(row.get("at", "")) < counted_until
        for place in changed
        for row in (before.get(place), after.get(place))
        if row is not None
    )


def get_counted_until(rows: Rows) -> str:
    """The end of the last checkpoint."""
    return str(max((row for (chain, _), row in rows.items() if chain == CHECKPOINTS), key=_get_seq)["upto"])


def _get_seq(row: Mapping[str, Any]) -> int:
    return int(row["seq"])


def _write(old: Rows, new: Rows) -> None:
    client = wiring.get_dynamodb_client()
    for chain, number in old.keys() - new.keys():
        key = marshal({"referral_id": chain, "entry": f"{number:012d}"})
        client.delete_item(TableName=TABLE, Key=key)
    for place, row in new.items():
        if old.get(place) != row:
            client.put_item(TableName=TABLE, Item=marshal(row))


def _edit(rows: Rows, chance: Random) -> None:
    """Change an attribute of a row."""
    row = rows[chance.choice(sorted(rows))]
    name = chance.choice(sorted(row.keys() - {"referral_id", "entry"}))
    row[name] = row[name] + 1 if isinstance(row[name], int) else f"{row[name]}0"


def _blank(rows: Rows, chance: Random) -> None:
    """Remove an attribute of a row."""
    row = rows[chance.choice(sorted(rows))]
    del row[chance.choice(sorted(row.keys() - {"referral_id", "entry"}))]


def _reword(rows: Rows, chance: Random) -> None:
    """Name another actor, and chain the rows from there on again."""
    chain, number = chance.choice(sorted(rows))
    rows[chain, number]["actor_id"] = "mem_nobody"
    _rechain(rows, chain)


def _delete(rows: Rows, chance: Random) -> None:
    del rows[chance.choice(sorted(rows))]


def _unsay(rows: Rows, chance: Random) -> None:
    """Delete a row, and close the gap behind it."""
    chain, number = chance.choice(sorted(rows))
    del rows[chain, number]
    _rechain(rows, chain)


def _insert(rows: Rows, chance: Random) -> None:
    """Insert a row at a time that was counted, and move those behind it."""
    chain, number = chance.choice(sorted(rows))
    later = sorted((p for p in rows if p[0] == chain and p[1] > number), reverse=True)
    for place in later:
        rows[chain, place[1] + 1] = rows.pop(place)
    rows[chain, number + 1] = {**rows[chain, number], "actor_id": "mem_nobody"}
    _rechain(rows, chain)


def _repeat(rows: Rows, chance: Random) -> None:
    """Repeat a row in the place behind it."""
    chain, number = chance.choice(sorted(rows))
    entry = f"{number + 1:012d}"
    rows[chain, number + 1] = {**rows[chain, number], "entry": entry, "seq": number + 1}


def _swap(rows: Rows, chance: Random) -> None:
    """Swap two rows of any chains."""
    one, other = chance.sample(sorted(rows), 2)
    key = ("referral_id", "entry")
    kept = {place: {name: rows[place][name] for name in key} for place in (one, other)}
    rows[one], rows[other] = rows[other] | kept[one], rows[one] | kept[other]


def _truncate(rows: Rows, chance: Random) -> None:
    """Cut off the end of a chain, or all of it."""
    chain, number = chance.choice(sorted(rows))
    for place in [p for p in rows if p[0] == chain and p[1] >= number]:
        del rows[place]


def _forget_checkpoints(rows: Rows, chance: Random) -> None:
    """Delete the last checkpoints, and the rows that only they had counted."""
    checkpoints = sorted(number for chain, number in rows if chain == CHECKPOINTS)
    if not checkpoints:
        return
    first = chance.choice(checkpoints)
    for number in checkpoints:
        if number >= first:
            del rows[CHECKPOINTS, number]
    for place in [p for p in rows if p[0].endswith("/reads")]:
        if chance.random() < 0.5:
            del rows[place]


def _rename(rows: Rows, chance: Random) -> None:
    """Rename a chain."""
    chain, _ = chance.choice(sorted(rows))
    for place in [p for p in sorted(rows) if p[0] == chain]:
        row = rows.pop(place)
        rows[f"{chain}x", place[1]] = {**row, "referral_id": f"{chain}x"}


TAMPERINGS: Mapping[str, Tampering] = {
    "edit": _edit,
    "blank": _blank,
    "reword": _reword,
    "delete": _delete,
    "unsay": _unsay,
    "insert": _insert,
    "repeat": _repeat,
    "swap": _swap,
    "truncate": _truncate,
    "forget checkpoints": _forget_checkpoints,
    "rename": _rename,
}


def _rechain(rows: Rows, chain: str) -> None:
    """Number and link a chain again, and store it, with the code with which the product does it."""
    places = sorted(place for place in rows if place[0] == chain)
    old = [rows.pop(place) for place in places]
    head: ChainHead = EMPTY_CHAIN
    for number, row in enumerate(old, start=1):
        facts = {name: value for name, value in to_chained_row(row).items() if name not in ("hash", "prev", "seq")}
        made = link_row(facts, head)
        head = ChainHead(made["seq"], made["hash"])
        try:
            rows[chain, number] = build_item(chain, made)
        except KeyError:  # An earlier tampering took the time out of the row, so that it has no place in the index.
            rows[chain, number] = {**made, "referral_id": chain, "entry": format_entry(number)}
