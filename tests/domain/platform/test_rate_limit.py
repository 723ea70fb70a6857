"""Rate limits: how a setting is parsed, and when a rejected caller may retry."""

import pytest

from chalicelib.domain.platform.rate_limit import UNKNOWN_REFERRALS_PER_CENTER, RateLimit


@pytest.mark.parametrize(("text", "limit"), [("1000/20", RateLimit(burst=1000, per_second=20)), ("", None)])
def test_a_setting_is_parsed_as_burst_and_rate_per_second(text, limit):
    """An empty setting means no limit."""
    assert RateLimit.parse(text) == limit


@pytest.mark.parametrize("text", ["20", "a/b", "10/", "/10"])
def test_an_invalid_setting_is_an_error(text):
    """It stops the start of the service, instead of allowing more."""
    with pytest.raises(ValueError):
        RateLimit.parse(text)


def test_rounding_never_allows_more_than_the_limit():
    """Three a second are 334 ms apart, not 333."""
    assert RateLimit(burst=9, per_second=3).token_interval_ms * 3 >= 1000


def test_a_caller_may_retry_when_a_tenth_of_the_burst_is_restored():
    """An empty bucket of 100 at ten a second: ten tokens, one second."""
    limit = RateLimit(burst=100, per_second=10)

    assert limit.compute_retry_after_s(restored_at_ms=limit.compute_latest_ms(0, 0), now_ms=0) == 1


def test_the_limit_for_unknown_referrals_is_restored_within_the_day_that_a_delivery_is_parked():
    """So one center never has more deliveries parked at once than twice its burst."""
    full_ms = UNKNOWN_REFERRALS_PER_CENTER.burst * UNKNOWN_REFERRALS_PER_CENTER.token_interval_ms

    assert full_ms == 24 * 3600 * 1000
