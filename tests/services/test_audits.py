"""The audit trail finds what was done to it."""

import random
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.services import audits
from tests.support.clinic import Clinic

TABLE = "cart-audit"


def _verified(clinic: Clinic) -> audits.Findings:
    now = wiring.now()
    first = (now - timedelta(days=1)).date()
    return audits.verify(stores=clinic.stores, now=now, first_day=first)


@pytest.fixture
def used(clinic: Clinic) -> Clinic:
    """A clinic in which somebody referred, moved, read and was refused, counted since."""
    audits.checkpoint(stores=clinic.stores, now=wiring.now() - timedelta(minutes=5))
    referral_id = clinic.refer()["referral_id"]
    clinic.move_to(referral_id, "received", "accepted")
    clinic.practice.get(f"/v1/referrals/{referral_id}")
    clinic.other_practice.get(f"/v1/referrals/{referral_id}")
    clinic.practice.get("/v1/referrals")
    audits.checkpoint(stores=clinic.stores, now=wiring.now() + timedelta(minutes=30))
    return clinic


def test_an_untouched_trail_has_no_breaks(used: Clinic):
    """What the product writes verifies."""
    found = _verified(used)

    assert found.breaks == []
    assert found.rows >= 6
    assert found.checkpoints == 2


def _mutated(rows: list[dict[str, Any]], chance: random.Random) -> str:
    """Do one thing to the table that nobody may do, and name it."""
    client = wiring.dynamodb()
    victim = chance.choice(rows)
    kind = chance.choice(["edit", "delete", "insert", "swap"])
    if kind == "edit":
        client.put_item(TableName=TABLE, Item={**victim, "actor_id": {"S": "mem_nobody"}})
    elif kind == "delete":
        key = {name: victim[name] for name in ("referral_id", "entry")}
        client.delete_item(TableName=TABLE, Key=key)
    elif kind == "insert":
        number = int(victim["entry"]["S"]) + 1
        made = {**victim, "entry": {"S": f"{number:012d}"}, "seq": {"N": str(number)}}
        client.put_item(TableName=TABLE, Item=made)
    else:
        other = chance.choice([row for row in rows if row is not victim])
        moved = {name: victim[name] for name in ("referral_id", "entry")}
        client.put_item(TableName=TABLE, Item={**other, **moved})
    return kind


def test_every_random_mutation_is_found(used: Clinic):
    """An edit, a deletion, an insertion or a swap never goes unseen."""
    client = wiring.dynamodb()
    before = client.scan(TableName=TABLE)["Items"]
    rows = [row for row in before if row["referral_id"]["S"] != "checkpoints"]
    unseen = []
    for seed in range(100):
        kind = _mutated(rows, random.Random(seed))  # noqa: S311 a seed makes the same run again
        if not _verified(used).breaks:
            unseen.append((seed, kind))
        for row in client.scan(TableName=TABLE)["Items"]:
            key = {name: row[name] for name in ("referral_id", "entry")}
            client.delete_item(TableName=TABLE, Key=key)
        for row in before:
            client.put_item(TableName=TABLE, Item=row)

    assert unseen == []
