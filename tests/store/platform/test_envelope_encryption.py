"""What is sealed opens only where it was sealed, and only with the key service's leave."""

import os

import pytest
from cryptography.exceptions import InvalidTag

from chalicelib.errors import UnavailableError
from chalicelib.store.platform import envelope_encryption as vault_module
from tests.support import faults
from tests.support import stores as shelves
from tests.support.faults import FaultMode

PLAIN = b"Ana Example, 1961-04-02"


@pytest.fixture
def encryption(stores):
    """A vault that remembers nothing yet."""
    return stores.encryption


def sealed(vault, plain=PLAIN, *, scope="prc_1", place="ref_1/details"):
    """Something sealed."""
    return vault.encrypt(plain, scope=scope, context=place)


def opened(vault, value, *, scope="prc_1", place="ref_1/details"):
    """Something opened."""
    return vault.decrypt(value, scope=scope, context=place)


@pytest.mark.parametrize("plain", [b"", b"\x00", PLAIN, os.urandom(100_000)])
def test_what_is_sealed_opens_in_its_place(encryption, plain):
    """Nothing, a byte, a sentence, a lot."""
    assert opened(encryption, sealed(encryption, plain)) == plain


def test_the_same_text_is_sealed_differently_each_time(encryption):
    """Two patients of one name cannot be matched by what is stored."""
    assert len({sealed(encryption) for _ in range(50)}) == 50


def test_nothing_of_the_text_shows(encryption):
    """Not in clear, and not its length alone either: 29 bytes are added."""
    value = sealed(encryption)

    assert PLAIN not in value
    assert len(value) == len(PLAIN) + 29


def test_a_value_that_was_moved_does_not_open(encryption):
    """To another item or another field of the same tenant."""
    with pytest.raises(InvalidTag):
        opened(encryption, sealed(encryption), place="ref_2/details")
    with pytest.raises(InvalidTag):
        opened(encryption, sealed(encryption), place="ref_1/summary")


def test_a_value_of_another_tenant_does_not_open(encryption):
    """Each scope has a key of its own."""
    with pytest.raises(InvalidTag):
        opened(encryption, sealed(encryption), scope="prc_2")


def test_a_value_that_was_altered_does_not_open(encryption):
    """One bit of any byte: the format, the nonce, the text, the tag."""
    value = sealed(encryption)
    opening = []
    for place in range(len(value)):
        altered = bytearray(value)
        altered[place] ^= 1
        try:
            opening.append((place, opened(encryption, bytes(altered))))
        except InvalidTag:
            continue

    assert opening == []


def test_a_value_that_was_cut_does_not_open(encryption):
    """At any length, nothing at all among them."""
    value = sealed(encryption)
    opening = []
    for length in range(len(value)):
        try:
            opening.append((length, opened(encryption, value[:length])))
        except InvalidTag:
            continue

    assert opening == []


def test_each_scope_has_one_key_for_good(encryption, stores):
    """Made when first needed; a new function reads the same one."""
    value = sealed(encryption)
    kept = shelves.list_rows("keys")

    again = opened(shelves.restart_stores(stores).encryption, value)

    assert again == PLAIN
    assert shelves.list_rows("keys") == kept
    assert [row["scope"] for row in kept] == ["prc_1"]


def test_a_key_is_stored_wrapped(encryption):
    """The table alone opens nothing: the row has what the key service made, and no key."""
    sealed(encryption)
    row = shelves.list_rows("keys")[0]

    assert set(row) == {"scope", "data_key"}
    assert len(row["data_key"]) > 32


def test_a_wrapped_key_of_another_scope_is_not_unwrapped(encryption, stores):
    """The scope is part of the wrapping, so a row copied to another tenant is useless."""
    sealed(encryption)
    row = shelves.list_rows("keys")[0]
    encryption.keys.put({"scope": "prc_thief", "data_key": row["data_key"]})

    with pytest.raises(Exception, match="InvalidCiphertext"):
        sealed(shelves.restart_stores(stores).encryption, scope="prc_thief")


def test_two_functions_that_make_a_key_at_once_use_one(stores):
    """The slower one finds the row in the way, and takes the key that stands there."""
    one, other = shelves.restart_stores(stores).encryption, shelves.restart_stores(stores).encryption
    values = []

    def between(n: int, operation: str) -> FaultMode | None:
        if n == 2:  # `other` has read that there is no key, and asks for one
            values.append(sealed(one))
        return None

    with faults.inject_faults(between):
        values.append(sealed(other))

    fresh = shelves.restart_stores(stores).encryption
    assert [opened(fresh, value) for value in values] == [PLAIN, PLAIN]
    assert len(shelves.list_rows("keys")) == 1


@pytest.mark.parametrize("operation", ["GenerateDataKey", "Decrypt"])
@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED])
def test_without_the_key_service_nothing_is_sealed_or_opened(stores, operation, mode):
    """There is no way around it, and no plaintext in its stead."""
    if operation == "Decrypt":
        sealed(shelves.restart_stores(stores).encryption)
    vault = shelves.restart_stores(stores).encryption

    with faults.inject_faults(faults.plan_always(operation, mode)), pytest.raises(UnavailableError):
        sealed(vault)


def test_a_crash_before_the_key_is_stored_leaves_nothing(stores):
    """The next function makes another one."""
    with (
        faults.inject_faults(faults.plan_fault_at(3, FaultMode.CRASH_BEFORE)) as calls,
        pytest.raises(faults.SimulatedCrash),
    ):
        sealed(shelves.restart_stores(stores).encryption)

    assert calls.operations == ["GetItem", "GenerateDataKey", "PutItem"]
    assert opened(stores.encryption, sealed(shelves.restart_stores(stores).encryption)) == PLAIN


def test_a_key_is_asked_for_once(encryption):
    """Then it stays in memory: a page of fifty rows is not fifty calls."""
    sealed(encryption)

    with faults.inject_faults(faults.plan_never) as calls:
        for n in range(50):
            sealed(encryption, place=f"ref_{n}")

    assert calls.operations == []


def test_a_key_does_not_stay_in_memory_for_ever(encryption):
    """After a quarter of an hour it is asked for again, so that a revoked key works no more."""
    value = sealed(encryption)
    since, cipher = encryption._kept["prc_1"]
    encryption._kept["prc_1"] = (since - vault_module._CACHE_S, cipher)

    with faults.inject_faults(faults.plan_never) as calls:
        opened(encryption, value)

    assert calls.operations == ["GetItem", "Decrypt"]


def test_keys_in_memory_are_bounded(encryption, monkeypatch):
    """However many tenants there are."""
    monkeypatch.setattr(vault_module, "_CACHED_SCOPES", 3)

    for n in range(10):
        sealed(encryption, scope=f"prc_{n}")

    assert len(encryption._kept) <= 3
