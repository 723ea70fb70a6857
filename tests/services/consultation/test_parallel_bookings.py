"""200 requests for the same time at once: as many succeed as there are seats, and the others are told so."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.errors import ApiError
from tests.support import factories
from tests.support.booking_driver import BookingDriver, one_call_at_a_time

REQUESTS = 200
THREADS = 32


@pytest.fixture
def driver(stores):
    factories.add_tenants(stores, factories.TENANTS)
    return BookingDriver(stores)


def try_to(step):
    """Run a step; return "ok", or the code of its refusal."""
    try:
        step()
    except ApiError as e:
        return f"{e.status} {e.code}"
    return "ok"


@pytest.mark.parametrize("capacity", [1, 3])
def test_no_seat_is_given_twice(driver, capacity):
    slot_id = driver.add_slot(capacity=capacity)
    referral_ids = [f"ref_{n:026d}" for n in range(REQUESTS)]
    for referral_id in referral_ids:
        driver.add_referral(referral_id)

    with one_call_at_a_time(), ThreadPoolExecutor(THREADS) as pool:
        outcomes = Counter(pool.map(lambda each: try_to(lambda: driver.book(each, slot_id)), referral_ids))

    assert outcomes == {"ok": capacity, "409 slot_taken": REQUESTS - capacity}
    booked = driver.get_slot(slot_id).list_booked()
    assert sorted(booked) == sorted(
        each for each in referral_ids if (found := driver.get(each).appointment) and found.slot_id == slot_id
    )
