"""Idempotency records: a repeat finds the record and gets the stored response."""

import zlib
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from chalicelib.errors import IdempotencyKeyReusedError
from chalicelib.store.platform import idempotency
from chalicelib.store.platform.idempotency import (
    IDEMPOTENCY_RECORD,
    RECORD_LIFETIME,
    TEMPLATE_VERSION,
    IdempotentRequest,
    StoredResponse,
    _load_template,
)
from chalicelib.store.platform.transactions import ConditionFailedError
from tests.support.factories import NOON
from tests.support.stores import list_rows

REQUEST = IdempotentRequest(
    member_id="mem_1", tenant_id="prc_1", route="POST /v1/referrals", key="k1", body=b'{"a": 1}'
)
RESPONSE = StoredResponse(status=201, headers={"ETag": '"1"'}, body={"patient": {"family_name": "Example"}})


def store_record(stores, request=REQUEST, response=RESPONSE, *, now=NOON):
    """Write an idempotency record without a change."""
    stores.transactions.commit(stores.idempotency_records.prepare_record(request, response, now=now))


def test_a_repeated_request_fails_on_the_record_and_gets_the_stored_response(stores):
    """The same status, headers and body, marked as replayed."""
    store_record(stores)

    with pytest.raises(ConditionFailedError) as error:
        store_record(stores, response=replace(RESPONSE, status=500))
    replayed = stores.idempotency_records.load_response(REQUEST, error.value.items[IDEMPOTENCY_RECORD])

    assert replayed == replace(RESPONSE, replayed=True)


def test_a_key_with_another_body_is_refused(stores):
    """The first request counts. The second one must use a new key."""
    store_record(stores)
    other = replace(REQUEST, body=b'{"a": 2}')

    with pytest.raises(IdempotencyKeyReusedError):
        stores.idempotency_records.find_response(other, now=NOON)


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, member_id="mem_2"),
        replace(REQUEST, route="POST /v1/referrals/{referral_id}/events"),
        replace(REQUEST, key="k2"),
    ],
)
def test_a_key_belongs_to_one_caller_and_one_route(stores, other):
    """For the same key from another member or for another route, and for a new key, there is no response yet."""
    store_record(stores)

    assert stores.idempotency_records.find_response(other, now=NOON) is None
    store_record(stores, other)
    assert len(list_rows("idempotency")) == 2


def test_the_parts_of_a_record_key_are_separated():
    """A member "ab" with the route "c" is not a member "a" with the route "bc"."""
    one = replace(REQUEST, member_id="a", route="bc", key="d")
    other = replace(REQUEST, member_id="ab", route="c", key="d")

    assert one.scope_key != other.scope_key


def test_an_expired_record_is_ignored_before_it_is_deleted(stores):
    """DynamoDB deletes expired rows days later, so the time decides."""
    store_record(stores)
    later = NOON + RECORD_LIFETIME + timedelta(seconds=1)

    expired = stores.idempotency_records.find_response(REQUEST, now=later)
    store_record(stores, response=replace(RESPONSE, status=200), now=later)
    replacement = stores.idempotency_records.find_response(REQUEST, now=later)

    assert expired is None
    assert replacement is not None
    assert replacement.status == 200
    assert len(list_rows("idempotency")) == 1


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=7), RECORD_LIFETIME])
def test_a_record_is_valid_for_30_days(stores, age):
    """The API contract requires at least 7. DynamoDB deletes the row after that; it expects seconds."""
    store_record(stores)

    with pytest.raises(ConditionFailedError):
        store_record(stores, now=NOON + age)
    assert stores.idempotency_records.find_response(REQUEST, now=NOON + age) is not None
    assert list_rows("idempotency")[0]["expires_at"] == int((NOON + RECORD_LIFETIME).timestamp())


@pytest.mark.parametrize("version", [0, 1], ids=["without a template", "the first template"])
def test_a_response_that_an_earlier_release_stored_is_read(stores, monkeypatch, version):
    """It may be repeated after an upgrade."""
    with monkeypatch.context() as earlier_release:
        earlier_release.setattr(idempotency, "TEMPLATE_VERSION", version)
        earlier_release.setattr(idempotency, "_compress", partial(compress_with, version))
        store_record(stores)

    assert stores.idempotency_records.find_response(REQUEST, now=NOON) == replace(RESPONSE, replayed=True)


def compress_with(version, response):
    """Compress a response as a release with another template."""
    template = _load_template(version)
    compressor = zlib.compressobj(zdict=template) if template else zlib.compressobj()
    return compressor.compress(response) + compressor.flush()


def test_a_stored_response_is_encrypted(stores):
    """It can have health data, and the row reveals none of it."""
    store_record(stores)
    row = list_rows("idempotency")[0]

    assert set(row) == {"scope_key", "body_hash", "answer", "words", "expires_at", "route", "tenant_id"}
    assert b"Example" not in row["answer"]
    assert "mem_1" not in row["scope_key"]
    # Compression alone would also hide the name, so check that the value must be decrypted first.
    context = f"idempotency/{REQUEST.scope_key}"
    compressed = stores.encryption.decrypt(row["answer"], scope=REQUEST.tenant_id, context=context)
    assert zlib.decompressobj(zdict=_load_template(TEMPLATE_VERSION)).decompress(compressed).startswith(b"{")
