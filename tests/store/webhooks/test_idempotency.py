"""Receipts: what stands in the way of a repeat, and what it says."""

import zlib
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.referrals.events import derive_id
from chalicelib.errors import ConflictError, IdempotencyKeyReusedError
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.webhooks.idempotency import (
    IDEMPOTENCY_RECORD,
    RECORD_LIFETIME,
    TEMPLATE_VERSION,
    Delivery,
    DeliveryResult,
    DeliveryStatus,
    IdempotentRequest,
    StoredResponse,
    _load_template,
    hash_body,
)
from tests.support import stores as shelves
from tests.support.factories import NOON

REQUEST = IdempotentRequest(
    member_id="mem_1", tenant_id="prc_1", route="POST /v1/referrals", key="k1", body=b'{"a": 1}'
)
ANSWER = StoredResponse(status=201, headers={"ETag": '"1"'}, body={"patient": {"family_name": "Example"}})
RESULT = DeliveryResult(status=DeliveryStatus.APPLIED, referral_id="ref_1", event_id="evt_1", stage="accepted")


def a_delivery(**changed):
    """A delivery of a center."""
    delivery = Delivery(center_id="ctr_1", webhook_id="msg_1", body_hash=hash_body(b"{}"), received_at=NOON)
    return replace(delivery, **changed)


def keep(stores, request=REQUEST, answer=ANSWER, *, now=NOON):
    """Write a receipt by itself."""
    stores.transactions.commit(stores.idempotency_records.prepare_record(request, answer, now=now))


def log(stores, delivery, result=RESULT, **how):
    """Log a delivery by itself."""
    stores.transactions.commit(stores.delivery_log.prepare_log(delivery, result, **how))


def test_a_repeat_finds_the_receipt_in_its_way_and_the_answer_in_it(stores):
    """The same status, headers and body, said to be a replay."""
    keep(stores)

    with pytest.raises(ConditionFailedError) as refusal:
        keep(stores, answer=replace(ANSWER, status=500))
    replayed = stores.idempotency_records.load_response(REQUEST, refusal.value.items[IDEMPOTENCY_RECORD])

    assert replayed == replace(ANSWER, replayed=True)


def test_a_key_that_comes_back_with_another_body_is_refused(stores):
    """The first request stands, and the second caller is told to take a new key."""
    keep(stores)
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
def test_a_key_is_the_callers_own(stores, other):
    """The same key of another member, or for another route, is another row."""
    keep(stores)

    assert stores.idempotency_records.find_response(other, now=NOON) is None
    keep(stores, other)
    assert len(shelves.list_rows("idempotency")) == 2


def test_parts_of_a_scope_do_not_run_into_each_other():
    """A member "ab" with the key "c" is not a member "a" with the key "bc"."""
    one = replace(REQUEST, member_id="a", route="bc", key="d")
    other = replace(REQUEST, member_id="ab", route="c", key="d")

    assert one.scope_key != other.scope_key


def test_an_expired_key_is_forgotten_though_its_row_is_still_there(stores):
    """DynamoDB deletes expired rows days later, so the time decides and not the deletion."""
    keep(stores)
    later = NOON + RECORD_LIFETIME + timedelta(seconds=1)

    found = stores.idempotency_records.find_response(REQUEST, now=later)
    keep(stores, answer=replace(ANSWER, status=200), now=later)
    again = stores.idempotency_records.find_response(REQUEST, now=later)

    assert found is None
    assert again is not None
    assert again.status == 200
    assert len(shelves.list_rows("idempotency")) == 1


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=7), RECORD_LIFETIME])
def test_a_key_is_remembered_for_thirty_days(stores, age):
    """The contract asks for seven at least."""
    keep(stores)

    with pytest.raises(ConditionFailedError):
        keep(stores, now=NOON + age)
    assert stores.idempotency_records.find_response(REQUEST, now=NOON + age) is not None


def test_a_row_says_when_it_may_be_deleted(stores):
    """In seconds, as DynamoDB's expiry wants them."""
    keep(stores)

    assert shelves.list_rows("idempotency")[0]["expires_at"] == int((NOON + RECORD_LIFETIME).timestamp())


def test_a_kept_answer_is_sealed(stores):
    """It holds health data, and the row shows none of it."""
    keep(stores)
    row = shelves.list_rows("idempotency")[0]

    assert set(row) == {"scope_key", "body_hash", "answer", "words", "expires_at"}
    assert b"Example" not in row["answer"]
    assert "mem_1" not in row["scope_key"]
    # Packed is not sealed, though it shows as little: only the vault opens it.
    place = f"idempotency/{REQUEST.scope_key}"
    packed = stores.encryption.decrypt(row["answer"], scope=REQUEST.tenant_id, context=place)
    assert zlib.decompressobj(zdict=_load_template(TEMPLATE_VERSION)).decompress(packed).startswith(b"{")


def test_what_was_never_asked_is_not_found(stores):
    """No receipt, no answer."""
    assert stores.idempotency_records.find_response(REQUEST, now=NOON) is None


def test_a_delivery_is_logged_once(stores):
    """Its repeat finds the row in its way, and what became of it in the row."""
    log(stores, a_delivery())

    with pytest.raises(ConditionFailedError) as refusal:
        log(stores, a_delivery(), replace(RESULT, status=DeliveryStatus.RECORDED))

    assert stores.delivery_log.load_result(a_delivery(), refusal.value.items[IDEMPOTENCY_RECORD]) == RESULT


def test_a_center_cannot_use_up_another_centers_ids(stores):
    """The same id of two centers is two deliveries."""
    log(stores, a_delivery(center_id="ctr_thief"))
    log(stores, a_delivery())

    assert len(shelves.list_rows("deliveries")) == 2
    assert derive_id("evt", "ctr_thief", "msg_1") != derive_id("evt", "ctr_1", "msg_1")


def test_an_id_that_comes_back_with_another_body_is_refused(stores):
    """The first delivery stands."""
    log(stores, a_delivery())

    with pytest.raises(ConflictError) as refusal:
        stores.delivery_log.find_result(a_delivery(body_hash=hash_body(b"[]")))

    assert refusal.value.code == "webhook_id_reused"
    assert stores.delivery_log.find_result(a_delivery()) == RESULT


def test_a_refused_delivery_is_logged_with_its_reason(stores):
    """A center's administrator reads why."""
    refused = DeliveryResult(status=DeliveryStatus.REFUSED, referral_id="ref_1", event_id="evt_1", code="not_your_move")

    log(stores, a_delivery(), refused)

    assert stores.delivery_log.find_result(a_delivery()) == refused


def test_a_parked_delivery_is_settled_once(stores):
    """The row must still say parked: of two that settle it, one is refused."""
    log(stores, a_delivery(), replace(RESULT, status=DeliveryStatus.PARKED, stage=None))

    log(stores, a_delivery(), RESULT, is_replay=True)

    with pytest.raises(ConditionFailedError):
        log(stores, a_delivery(), RESULT, is_replay=True)
    assert stores.delivery_log.find_result(a_delivery()) == RESULT


def test_a_delivery_that_never_was_cannot_be_settled(stores):
    """Settling needs the row of its arrival."""
    with pytest.raises(ConditionFailedError):
        log(stores, a_delivery(), RESULT, is_replay=True)

    assert stores.delivery_log.find_result(a_delivery()) is None
