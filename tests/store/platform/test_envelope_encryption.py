"""Envelope encryption: a ciphertext decrypts only in its own context, and only with AWS KMS."""

import os
import re
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.resources import files
from threading import Barrier, Event, Timer

import pytest
from cryptography.exceptions import InvalidTag

from chalicelib.errors import UnavailableError
from chalicelib.store.platform import envelope_encryption
from chalicelib.store.platform.item_formats import UnreadableItemError
from tests.support import faults
from tests.support.faults import FaultMode
from tests.support.stores import list_rows, restart_stores

PLAINTEXT = b"Ana Example, 1961-04-02"


@pytest.fixture
def encryption(stores):
    """Envelope encryption with an empty cache."""
    return stores.encryption


def encrypt(encryption, plaintext=PLAINTEXT, *, scope="prc_1", context="ref_1/details"):
    """A ciphertext for one context."""
    return encryption.encrypt(plaintext, scope=scope, context=context)


def decrypt(encryption, ciphertext, *, scope="prc_1", context="ref_1/details"):
    """The plaintext of a ciphertext."""
    return encryption.decrypt(ciphertext, scope=scope, context=context)


@pytest.mark.parametrize("plaintext", [b"", b"\x00", PLAINTEXT, os.urandom(100_000)])
def test_a_ciphertext_decrypts_in_its_own_context(encryption, plaintext):
    """Nothing, a byte, a sentence, and 100 KB."""
    assert decrypt(encryption, encrypt(encryption, plaintext)) == plaintext


def test_a_ciphertext_reveals_nothing_and_differs_each_time(encryption):
    """Two patients with the same name cannot be matched. 29 bytes are added to the length."""
    ciphertexts = {encrypt(encryption) for _ in range(50)}

    assert len(ciphertexts) == 50
    assert not any(PLAINTEXT in ciphertext for ciphertext in ciphertexts)
    assert {len(ciphertext) for ciphertext in ciphertexts} == {len(PLAINTEXT) + 29}


@pytest.mark.parametrize(
    "moved_to", [{"context": "ref_2/details"}, {"context": "ref_1/summary"}, {"scope": "prc_2"}], ids=str
)
def test_a_ciphertext_that_was_moved_does_not_decrypt(encryption, moved_to):
    """To another item, to another field, or to another tenant, which has its own key."""
    with pytest.raises(InvalidTag):
        decrypt(encryption, encrypt(encryption), **moved_to)


def flip_one_bit(ciphertext, position):
    """The ciphertext with one changed bit."""
    altered = bytearray(ciphertext)
    altered[position] ^= 1
    return bytes(altered)


@pytest.mark.parametrize("alter", [flip_one_bit, lambda ciphertext, length: ciphertext[:length]], ids=["flip", "cut"])
def test_a_ciphertext_that_was_altered_does_not_decrypt(encryption, alter):
    """One changed bit in any byte (format, nonce, text or tag), or a cut at any length down to zero."""
    ciphertext = encrypt(encryption)
    decrypted = []
    for position in range(len(ciphertext)):
        try:
            decrypted.append((position, decrypt(encryption, alter(ciphertext, position))))
        except InvalidTag:
            continue

    assert decrypted == []


LONG_PLAINTEXT = PLAINTEXT * 20


@pytest.mark.parametrize("referral_id", ["", "ref_1"])
def test_a_long_plaintext_is_compressed(encryption, referral_id):
    """Before encryption, because a ciphertext cannot be compressed."""
    ciphertext = encryption.encrypt(LONG_PLAINTEXT, scope="prc_1", context="ref_1/details", referral_id=referral_id)

    assert len(ciphertext) < len(LONG_PLAINTEXT) / 2
    assert decrypt(encryption, ciphertext) == LONG_PLAINTEXT
    assert encryption.is_current(ciphertext, scope="prc_1", referral_id=referral_id)


def test_what_does_not_become_smaller_is_not_compressed(encryption):
    """Such as a key, or a compressed response."""
    plaintext = os.urandom(500)

    assert len(encrypt(encryption, plaintext)) == len(plaintext) + 29


@pytest.mark.parametrize("plaintext", [PLAINTEXT, LONG_PLAINTEXT], ids=["not compressed", "compressed"])
def test_a_changed_version_of_the_template_is_noticed(encryption, plaintext):
    """It is in the format, which is not encrypted."""
    ciphertext = bytearray(encrypt(encryption, plaintext))
    ciphertext[0] ^= 0x10

    with pytest.raises(InvalidTag):
        decrypt(encryption, bytes(ciphertext))


def test_a_template_of_a_newer_release_is_not_guessed(encryption, monkeypatch):
    """The value is refused as one that a newer release wrote."""
    monkeypatch.setattr(envelope_encryption, "TEMPLATE_VERSION", 2)
    ciphertext = encrypt(encryption, LONG_PLAINTEXT)

    with pytest.raises(UnreadableItemError):
        decrypt(encryption, ciphertext)


def test_the_template_has_nothing_about_a_person():
    """It ships with the code. Member names, closed lists and zeros are the same for every patient."""
    template = (files("chalicelib.store") / "plaintext_template_1.txt").read_text()
    words = set(re.findall(r'"([^"]*)"', template))

    assert {word for word in words if not re.fullmatch(r"|20|[a-z][a-z_0-9]*", word)} == set()


def test_each_scope_has_one_data_key_that_is_stored_encrypted(encryption, stores):
    """It is created when first needed, and a new function reads the same one."""
    ciphertext = encrypt(encryption)
    rows = list_rows("keys")

    assert decrypt(restart_stores(stores).encryption, ciphertext) == PLAINTEXT
    assert list_rows("keys") == rows
    (row,) = rows
    assert row["scope"] == "prc_1"
    assert set(row) == {"scope", "data_key"}
    # A data key has 32 bytes. The stored one is longer because KMS encrypted it.
    assert len(row["data_key"]) > 32


def test_a_data_key_of_another_scope_is_not_decrypted(encryption, stores):
    """KMS binds the data key to its scope, so a row that was copied to another tenant is useless."""
    encrypt(encryption)
    row = list_rows("keys")[0]
    encryption.keys.put({"scope": "prc_thief", "data_key": row["data_key"]})

    with pytest.raises(Exception, match="InvalidCiphertext"):
        encrypt(restart_stores(stores).encryption, scope="prc_thief")


def test_two_functions_that_create_a_key_at_once_use_the_same_one(stores):
    """The slower one fails its conditional write and reads the stored key."""
    one, other = restart_stores(stores).encryption, restart_stores(stores).encryption
    ciphertexts = []

    def encrypt_in_between(n: int, operation: str) -> FaultMode | None:
        if n == 2:  # `other` has read that there is no key, and requests one
            ciphertexts.append(encrypt(one))
        return None

    with faults.inject_faults(encrypt_in_between):
        ciphertexts.append(encrypt(other))

    fresh = restart_stores(stores).encryption
    assert [decrypt(fresh, ciphertext) for ciphertext in ciphertexts] == [PLAINTEXT, PLAINTEXT]
    assert len(list_rows("keys")) == 1


@pytest.mark.parametrize("operation", ["GenerateDataKey", "Decrypt"])
@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED])
def test_without_kms_nothing_is_encrypted_or_decrypted(stores, operation, mode):
    """No plaintext is used instead."""
    if operation == "Decrypt":
        encrypt(restart_stores(stores).encryption)
    encryption = restart_stores(stores).encryption

    with faults.inject_faults(faults.plan_always(operation, mode)), pytest.raises(UnavailableError):
        encrypt(encryption)


def test_a_crash_before_the_key_is_stored_leaves_no_key(stores):
    """The next function creates another one."""
    with (
        faults.inject_faults(faults.plan_fault_at(3, FaultMode.CRASH_BEFORE)) as calls,
        pytest.raises(faults.SimulatedCrash),
    ):
        encrypt(restart_stores(stores).encryption)

    assert calls.operations == ["GetItem", "GenerateDataKey", "PutItem"]
    assert decrypt(stores.encryption, encrypt(restart_stores(stores).encryption)) == PLAINTEXT


def test_a_data_key_is_cached(encryption):
    """A page of 50 rows does not need 50 calls."""
    encrypt(encryption)

    with faults.inject_faults(faults.plan_never) as calls:
        for n in range(50):
            encrypt(encryption, context=f"ref_{n}")

    assert calls.operations == []


def test_a_cached_data_key_expires(encryption):
    """After 15 minutes it is requested again, so a revoked key stops working."""
    ciphertext = encrypt(encryption)
    since, keys = encryption._cache["prc_1"]
    encryption._cache["prc_1"] = (since - envelope_encryption._CACHE_S, keys)

    with faults.inject_faults(faults.plan_never) as calls:
        decrypt(encryption, ciphertext)

    assert calls.operations == ["GetItem", "Decrypt"]


def test_the_cache_of_data_keys_is_limited(encryption, monkeypatch):
    """However many tenants there are."""
    monkeypatch.setattr(envelope_encryption, "_CACHED_SCOPES", 3)

    for n in range(10):
        encrypt(encryption, scope=f"prc_{n}")

    assert len(encryption._cache) <= 3


SCOPES = ("prc_1", "prc_2", "prc_3")
ATTEMPTS = 3
"""How often a call is made that meets an error of the server."""

A_WHILE = 60
"""Seconds after which a test gives up. No test takes them."""


def start_at_once(call):
    """Make a call when it is started."""
    made: Future[Exception | None] = Future()
    made.set_result(call())
    return made


def test_the_keys_of_several_scopes_are_loaded_at_the_same_time(stores):
    """A center's first list has the patients of many practices. Each call of KMS waits for the other two."""
    ciphertexts = {scope: encrypt(stores.encryption, scope=scope) for scope in SCOPES}
    encryption, meeting = restart_stores(stores).encryption, Barrier(3, timeout=A_WHILE)

    def meet(_n, operation):
        if operation == "Decrypt":
            meeting.wait()

    with ThreadPoolExecutor(3) as threads, faults.inject_faults(meet) as calls:
        encryption.load_ahead(SCOPES, threads.submit)
        plaintexts = {decrypt(encryption, ciphertext, scope=scope) for scope, ciphertext in ciphertexts.items()}

    assert plaintexts == {PLAINTEXT}
    assert sorted(calls.operations) == ["Decrypt"] * 3 + ["GetItem"] * 3


def test_a_load_that_has_not_begun_is_not_waited_for(stores):
    """It may be queued behind the call that needs its keys, so that call loads them itself."""
    ciphertext, encryption = encrypt(stores.encryption), restart_stores(stores).encryption
    waiting: Future[Exception | None] = Future()
    encryption.load_ahead(["prc_1"], lambda _load: waiting)

    assert decrypt(encryption, ciphertext) == PLAINTEXT
    assert waiting.cancelled()


@pytest.mark.parametrize("operation", ["GetItem", "Decrypt"])
def test_a_load_that_fails_is_not_made_again_by_a_request_that_waits_for_it(stores, operation):
    """The request fails too, because KMS is down. The next request loads the keys again."""
    ciphertext, encryption = encrypt(stores.encryption), restart_stores(stores).encryption
    may_fail = Event()

    def fail_late(_n, called):
        if called != operation:
            return None
        may_fail.wait(A_WHILE)
        return FaultMode.SERVER_ERROR

    with ThreadPoolExecutor(1) as threads, faults.inject_faults(fail_late) as calls:
        encryption.load_ahead(["prc_1"], threads.submit)
        Timer(0.1, may_fail.set).start()
        with pytest.raises(UnavailableError):
            decrypt(encryption, ciphertext)

    assert len(calls.met) == ATTEMPTS
    assert decrypt(encryption, ciphertext) == PLAINTEXT


@pytest.mark.parametrize("operation", ["GetItem", "Decrypt"])
def test_keys_that_could_not_be_loaded_ahead_are_loaded_when_they_are_needed(stores, operation):
    """Not every request that loads keys ahead needs them, so an earlier failure ends none."""
    ciphertext, encryption = encrypt(stores.encryption), restart_stores(stores).encryption
    with faults.inject_faults(faults.plan_always(operation, FaultMode.SERVER_ERROR)):
        encryption.load_ahead(["prc_1"], start_at_once)

    assert decrypt(encryption, ciphertext) == PLAINTEXT


def test_no_key_is_created_ahead(encryption):
    """A tenant gets its data key when something of it is encrypted."""
    encryption.load_ahead(["prc_1"], start_at_once)

    assert list_rows("keys") == []


def test_a_tenant_without_keys_is_asked_for_them_once(encryption):
    """Not at each request of its members, as long as nothing of it is encrypted."""
    encryption.load_ahead(["prc_1"], start_at_once)

    with faults.inject_faults(faults.plan_never) as calls:
        encryption.load_ahead(["prc_1"], start_at_once)

    assert calls.operations == []
    assert decrypt(encryption, encrypt(encryption)) == PLAINTEXT


def test_keys_in_memory_are_not_loaded_ahead(encryption):
    """So a warm request makes no call for them."""
    encrypt(encryption)

    with faults.inject_faults(faults.plan_never) as calls:
        encryption.load_ahead(["prc_1"], start_at_once)

    assert calls.operations == []
