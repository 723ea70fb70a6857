"""The log of deliveries: a repeated delivery finds its entry and gets the first result."""

from dataclasses import replace

import pytest

from chalicelib.domain.platform.ids import derive_id
from chalicelib.errors import ConflictError
from chalicelib.store.platform.idempotency import IDEMPOTENCY_RECORD, hash_body
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.webhooks.delivery_log import Delivery, DeliveryResult, DeliveryStatus
from tests.support.factories import NOON
from tests.support.stores import list_rows

RESULT = DeliveryResult(status=DeliveryStatus.APPLIED, referral_id="ref_1", event_id="evt_1", stage="accepted")
REFUSED = DeliveryResult(status=DeliveryStatus.REFUSED, referral_id="ref_1", event_id="evt_1", code="not_your_move")


def build_delivery(**changed):
    """A delivery from a center."""
    delivery = Delivery(center_id="ctr_1", webhook_id="msg_1", body_hash=hash_body(b"{}"), received_at=NOON)
    return replace(delivery, **changed)


def log(stores, delivery, result=RESULT, **options):
    """Log a delivery without a change."""
    stores.transactions.commit(stores.delivery_log.prepare_log(delivery, result, **options))


@pytest.mark.parametrize("result", [RESULT, REFUSED], ids=["applied", "refused"])
def test_a_repeated_delivery_fails_on_the_log_and_gets_the_first_result(stores, result):
    """A center's administrator reads it too, with the reason of a refusal."""
    log(stores, build_delivery(), result)

    with pytest.raises(ConditionFailedError) as error:
        log(stores, build_delivery(), replace(RESULT, status=DeliveryStatus.RECORDED))

    assert stores.delivery_log.load_result(build_delivery(), error.value.items[IDEMPOTENCY_RECORD]) == result
    assert stores.delivery_log.find_result(build_delivery()) == result


def test_a_webhook_id_belongs_to_one_center(stores):
    """The same id from two centers means two deliveries."""
    log(stores, build_delivery(center_id="ctr_thief"))
    log(stores, build_delivery())

    assert len(list_rows("deliveries")) == 2
    assert derive_id("evt", "ctr_thief", "msg_1") != derive_id("evt", "ctr_1", "msg_1")


def test_a_webhook_id_with_another_body_is_refused(stores):
    """The first delivery counts."""
    log(stores, build_delivery())

    with pytest.raises(ConflictError) as error:
        stores.delivery_log.find_result(build_delivery(body_hash=hash_body(b"[]")))

    assert error.value.code == "webhook_id_reused"
    assert stores.delivery_log.find_result(build_delivery()) == RESULT


def test_a_parked_delivery_gets_its_final_result_once(stores):
    """The row must still be parked, so of two runs one is refused."""
    log(stores, build_delivery(), replace(RESULT, status=DeliveryStatus.PARKED, stage=None))

    log(stores, build_delivery(), RESULT, was_parked=True)

    with pytest.raises(ConditionFailedError):
        log(stores, build_delivery(), RESULT, was_parked=True)
    assert stores.delivery_log.find_result(build_delivery()) == RESULT


def test_an_unknown_delivery_gets_no_final_result(stores):
    """It needs the row from its arrival."""
    with pytest.raises(ConditionFailedError):
        log(stores, build_delivery(), RESULT, was_parked=True)

    assert stores.delivery_log.find_result(build_delivery()) is None
