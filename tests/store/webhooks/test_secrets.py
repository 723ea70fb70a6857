"""Centers' webhook secrets: sealed, several at once, and an old one that runs out."""

from datetime import timedelta

from chalicelib.store.platform.timestamps import to_timestamp
from chalicelib.store.webhooks import secrets as webhook_secrets
from tests.support import faults
from tests.support import stores as shelves
from tests.support.factories import NOON

CENTER_ID = "ctr_harbor"


def live(stores, center_id=CENTER_ID, *, now=NOON):
    """The secrets that count, as a new function reads them."""
    return set(shelves.restart_stores(stores).secrets.list_valid(center_id, now=now))


def make(stores, center_id=CENTER_ID):
    """A new secret: its id and its bytes."""
    made = stores.secrets.prepare_rotate(center_id, now=NOON)
    stores.transactions.commit(*made.writes)
    return made.secret_id, made.value


def end(stores, secret_id, at):
    """Let a secret run out, as a rotation does."""
    (row,) = [row for row in shelves.list_rows("webhook_secrets") if row["secret_id"] == secret_id]
    stores.secrets.table.put(row | {"expires_at": to_timestamp(at)})


def test_a_center_that_is_not_there_has_no_secret(stores):
    """So nothing that it signs is genuine."""
    assert live(stores, "ctr_unknown") == set()


def test_a_secret_is_32_random_bytes_and_counts_at_once(stores):
    """Within what the specification asks for, and different each time."""
    made = [make(stores)[1] for _ in range(3)]

    assert {len(value) for value in made} == {32}
    assert len(set(made)) == 3
    assert live(stores) == set(made)


def test_a_secret_is_its_centers_own(stores):
    """Another center's does not count."""
    make(stores, "ctr_mesa")

    assert live(stores) == set()


def test_an_old_secret_counts_until_it_runs_out(stores):
    """Both while one rotates; afterwards only the new one."""
    (old_id, old), (_, new) = make(stores), make(stores)
    end(stores, old_id, NOON + timedelta(hours=24))

    assert live(stores, now=NOON + timedelta(hours=23)) == {old, new}
    assert live(stores, now=NOON + timedelta(hours=24)) == {new}


def test_a_secret_runs_out_in_memory_as_well(stores):
    """Being remembered does not make it live longer."""
    secret_id, value = make(stores)
    end(stores, secret_id, NOON + timedelta(hours=1))
    warm = shelves.restart_stores(stores).secrets

    assert list(warm.list_valid(CENTER_ID, now=NOON)) == [value]
    assert list(warm.list_valid(CENTER_ID, now=NOON + timedelta(hours=1))) == []


def test_secrets_are_remembered_for_a_minute(stores):
    """A busy feed does not read them with each delivery, and a new one works soon everywhere."""
    make(stores)
    warm = shelves.restart_stores(stores).secrets
    warm.list_valid(CENTER_ID, now=NOON)

    with faults.inject_faults(faults.plan_never) as calls:
        warm.list_valid(CENTER_ID, now=NOON)
    since, kept = warm._kept[CENTER_ID]
    warm._kept[CENTER_ID] = (since - webhook_secrets.KEPT_S, kept)
    with faults.inject_faults(faults.plan_never) as later_calls:
        warm.list_valid(CENTER_ID, now=NOON)

    assert calls.operations == []
    assert later_calls.operations == ["Query"]


def test_strangers_made_up_ids_fill_no_memory(stores):
    """What is not there is not remembered."""
    for n in range(50):
        stores.secrets.list_valid(f"ctr_{n}", now=NOON)

    assert stores.secrets._kept == {}


def test_a_secret_is_stored_sealed(stores):
    """The table alone lets nobody sign."""
    _, value = make(stores)
    row = shelves.list_rows("webhook_secrets")[0]

    assert set(row) == {"center_id", "secret_id", "sealed", "created_at"}
    assert value not in row["sealed"]
