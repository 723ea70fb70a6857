"""Receipts: what stands in the way of a repeat, and what it says."""

import zlib
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.referrals.events import derived_id
from chalicelib.errors import KeyReusedError, RefusedError
from chalicelib.store.platform.transactions import ConditionFailed
from chalicelib.store.webhooks.idempotency import (
    KEPT_FOR,
    RECEIPT,
    WORDS,
    Answer,
    Delivery,
    DeliveryResult,
    DeliveryStatus,
    Request,
    _words,
    hashed,
)
from tests.support import shelves
from tests.support.factories import NOON

REQUEST = Request(
    member_id="mem_1", tenant_id="prc_1", route="POST /v1/referrals", key="k1", body=b'{"a": 1}'
)
ANSWER = Answer(status=201, headers={"ETag": '"1"'}, body={"patient": {"family_name": "Example"}})
RESULT = DeliveryResult(
    status=DeliveryStatus.APPLIED, referral_id="ref_1", event_id="evt_1", stage="accepted"
)


def a_delivery(**changed):
    """A delivery of a center."""
    delivery = Delivery(
        center_id="ctr_1", webhook_id="msg_1", body_hash=hashed(b"{}"), received_at=NOON
    )
    return replace(delivery, **changed)


def keep(stores, request=REQUEST, answer=ANSWER, *, now=NOON):
    """Write a receipt by itself."""
    stores.ledger.commit(stores.idempotency.writing(request, answer, now=now))


def log(stores, delivery, result=RESULT, **how):
    """Log a delivery by itself."""
    stores.ledger.commit(stores.deliveries.writing(delivery, result, **how))


def test_a_repeat_finds_the_receipt_in_its_way_and_the_answer_in_it(stores):
    """The same status, headers and body, said to be a replay."""
    keep(stores)

    with pytest.raises(ConditionFailed) as refusal:
        keep(stores, answer=replace(ANSWER, status=500))
    replayed = stores.idempotency.replay(REQUEST, refusal.value.items[RECEIPT])

    assert replayed == replace(ANSWER, replayed=True)


def test_a_key_that_comes_back_with_another_body_is_refused(stores):
    """The first request stands, and the second caller is told to take a new key."""
    keep(stores)
    other = replace(REQUEST, body=b'{"a": 2}')

    with pytest.raises(KeyReusedError):
        stores.idempotency.find(other, now=NOON)


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

    assert stores.idempotency.find(other, now=NOON) is None
    keep(stores, other)
    assert len(shelves.rows("idempotency")) == 2


def test_parts_of_a_scope_do_not_run_into_each_other():
    """A member "ab" with the key "c" is not a member "a" with the key "bc"."""
    one = replace(REQUEST, member_id="a", route="bc", key="d")
    other = replace(REQUEST, member_id="ab", route="c", key="d")

    assert one.scope_key != other.scope_key


def test_an_expired_key_is_forgotten_though_its_row_is_still_there(stores):
    """DynamoDB deletes expired rows days later, so the time decides and not the deletion."""
    keep(stores)
    later = NOON + KEPT_FOR + timedelta(seconds=1)

    found = stores.idempotency.find(REQUEST, now=later)
    keep(stores, answer=replace(ANSWER, status=200), now=later)
    again = stores.idempotency.find(REQUEST, now=later)

    assert found is None
    assert again is not None
    assert again.status == 200
    assert len(shelves.rows("idempotency")) == 1


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=7), KEPT_FOR])
def test_a_key_is_remembered_for_thirty_days(stores, age):
    """The contract asks for seven at least."""
    keep(stores)

    with pytest.raises(ConditionFailed):
        keep(stores, now=NOON + age)
    assert stores.idempotency.find(REQUEST, now=NOON + age) is not None


def test_a_row_says_when_it_may_be_deleted(stores):
    """In seconds, as DynamoDB's expiry wants them."""
    keep(stores)

    assert shelves.rows("idempotency")[0]["expires_at"] == int((NOON + KEPT_FOR).timestamp())


def test_a_kept_answer_is_sealed(stores):
    """It holds health data, and the row shows none of it."""
    keep(stores)
    row = shelves.rows("idempotency")[0]

    assert set(row) == {"scope_key", "body_hash", "answer", "words", "expires_at"}
    assert b"Example" not in row["answer"]
    assert "mem_1" not in row["scope_key"]
    # Packed is not sealed, though it shows as little: only the vault opens it.
    place = f"idempotency/{REQUEST.scope_key}"
    packed = stores.vault.open(row["answer"], scope=REQUEST.tenant_id, place=place)
    assert zlib.decompressobj(zdict=_words(WORDS)).decompress(packed).startswith(b"{")


def test_what_was_never_asked_is_not_found(stores):
    """No receipt, no answer."""
    assert stores.idempotency.find(REQUEST, now=NOON) is None


def test_a_delivery_is_logged_once(stores):
    """Its repeat finds the row in its way, and what became of it in the row."""
    log(stores, a_delivery())

    with pytest.raises(ConditionFailed) as refusal:
        log(stores, a_delivery(), replace(RESULT, status=DeliveryStatus.RECORDED))

    assert stores.deliveries.replay(a_delivery(), refusal.value.items[RECEIPT]) == RESULT


def test_a_center_cannot_use_up_another_centers_ids(stores):
    """The same id of two centers is two deliveries."""
    log(stores, a_delivery(center_id="ctr_thief"))
    log(stores, a_delivery())

    assert len(shelves.rows("deliveries")) == 2
    assert derived_id("evt", "ctr_thief", "msg_1") != derived_id("evt", "ctr_1", "msg_1")


def test_an_id_that_comes_back_with_another_body_is_refused(stores):
    """The first delivery stands."""
    log(stores, a_delivery())

    with pytest.raises(RefusedError) as refusal:
        stores.deliveries.find(a_delivery(body_hash=hashed(b"[]")))

    assert refusal.value.code == "webhook_id_reused"
    assert stores.deliveries.find(a_delivery()) == RESULT


def test_a_refused_delivery_is_logged_with_its_reason(stores):
    """A center's administrator reads why."""
    refused = DeliveryResult(
        status=DeliveryStatus.REFUSED, referral_id="ref_1", event_id="evt_1", code="not_your_move"
    )

    log(stores, a_delivery(), refused)

    assert stores.deliveries.find(a_delivery()) == refused


def test_a_parked_delivery_is_settled_once(stores):
    """The row must still say parked: of two that settle it, one is refused."""
    log(stores, a_delivery(), replace(RESULT, status=DeliveryStatus.PARKED, stage=None))

    log(stores, a_delivery(), RESULT, again=True)

    with pytest.raises(ConditionFailed):
        log(stores, a_delivery(), RESULT, again=True)
    assert stores.deliveries.find(a_delivery()) == RESULT


def test_a_delivery_that_never_was_cannot_be_settled(stores):
    """Settling needs the row of its arrival."""
    with pytest.raises(ConditionFailed):
        log(stores, a_delivery(), RESULT, again=True)

    assert stores.deliveries.find(a_delivery()) is None
