"""Webhook secrets of centers: encrypted, several valid at once, and an old one that expires."""

from datetime import timedelta

from chalicelib.store.platform.timestamps import to_timestamp
from chalicelib.store.webhooks.secrets import CACHE_S
from tests.support import faults
from tests.support.factories import NOON
from tests.support.stores import list_rows, restart_stores

CENTER_ID = "ctr_harbor"


def list_valid(stores, center_id=CENTER_ID, *, now=NOON):
    """The valid secrets, as a new function reads them."""
    return set(restart_stores(stores).secrets.list_valid(center_id, now=now))


def create_secret(stores, center_id=CENTER_ID):
    """A new secret: its id and its bytes."""
    secret = stores.secrets.prepare_rotate(center_id, now=NOON)
    stores.transactions.commit(*secret.writes)
    return secret.secret_id, secret.value


def expire_secret(stores, secret_id, at):
    """Let a secret expire, as a rotation does."""
    (row,) = [row for row in list_rows("webhook_secrets") if row["secret_id"] == secret_id]
    stores.secrets.table.put(row | {"expires_at": to_timestamp(at)})


def test_a_secret_is_32_random_bytes_and_valid_at_once(stores):
    """The length is within the limits of the specification. Each secret is different."""
    secrets = [create_secret(stores)[1] for _ in range(3)]

    assert {len(value) for value in secrets} == {32}
    assert len(set(secrets)) == 3
    assert list_valid(stores) == set(secrets)


def test_a_secret_is_valid_for_its_own_center_only(stores):
    """An unknown center has no secret, so no signature of it is valid."""
    create_secret(stores, "ctr_mesa")

    assert list_valid(stores) == set()
    assert list_valid(stores, "ctr_unknown") == set()


def test_an_old_secret_is_valid_until_it_expires(stores):
    """During a rotation both are valid, and afterwards only the new one."""
    (old_id, old), (_, new) = create_secret(stores), create_secret(stores)
    expire_secret(stores, old_id, NOON + timedelta(hours=24))

    assert list_valid(stores, now=NOON + timedelta(hours=23)) == {old, new}
    assert list_valid(stores, now=NOON + timedelta(hours=24)) == {new}


def test_a_cached_secret_expires_too(stores):
    """The cache does not extend its life."""
    secret_id, value = create_secret(stores)
    expire_secret(stores, secret_id, NOON + timedelta(hours=1))
    warm = restart_stores(stores).secrets

    assert list(warm.list_valid(CENTER_ID, now=NOON)) == [value]
    assert list(warm.list_valid(CENTER_ID, now=NOON + timedelta(hours=1))) == []


def test_secrets_are_cached_for_one_minute(stores):
    """A busy center's system does not cause a read per delivery, and a new secret soon works everywhere."""
    create_secret(stores)
    warm = restart_stores(stores).secrets
    warm.list_valid(CENTER_ID, now=NOON)

    with faults.inject_faults(faults.plan_never) as calls:
        warm.list_valid(CENTER_ID, now=NOON)
    since, cached = warm._cache[CENTER_ID]
    warm._cache[CENTER_ID] = (since - CACHE_S, cached)
    with faults.inject_faults(faults.plan_never) as later_calls:
        warm.list_valid(CENTER_ID, now=NOON)

    assert calls.operations == []
    assert later_calls.operations == ["Query"]


def test_unknown_center_ids_are_not_cached(stores):
    """Invented ids must not fill the memory."""
    for n in range(50):
        stores.secrets.list_valid(f"ctr_{n}", now=NOON)

    assert stores.secrets._cache == {}


def test_a_secret_is_stored_encrypted(stores):
    """No one can sign with the table alone."""
    _, value = create_secret(stores)
    row = list_rows("webhook_secrets")[0]

    assert set(row) == {"center_id", "secret_id", "sealed", "created_at"}
    assert value not in row["sealed"]
