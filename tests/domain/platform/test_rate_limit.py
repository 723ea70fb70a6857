"""Limits as numbers."""

import pytest

from chalicelib.domain.platform.rate_limit import UNKNOWN_REFERRALS_PER_CENTER, RateLimit


def test_a_limit_is_read_as_a_setting_spells_it():
    """At once, and each second."""
    assert RateLimit.parse("1000/20") == RateLimit(burst=1000, per_second=20)


def test_no_setting_is_no_limit():
    assert RateLimit.parse("") is None


@pytest.mark.parametrize("text", ["20", "a/b", "10/", "/10"])
def test_a_setting_that_is_no_limit_stops_the_start(text):
    """And is not taken for something wider."""
    with pytest.raises(ValueError):
        RateLimit.parse(text)


def test_nobody_gets_more_than_the_limit_by_rounding():
    """Three a second are 334 ms apart, not 333."""
    assert RateLimit(burst=9, per_second=3).token_interval_ms * 3 >= 1000


def test_the_pause_is_until_a_tenth_is_back():
    """An empty bucket of a hundred, ten a second: ten calls, one second."""
    limit = RateLimit(burst=100, per_second=10)

    assert limit.compute_retry_after_s(promised_until_ms=limit.compute_latest_ms(0, 0), now_ms=0) == 1


def test_strangers_come_back_in_the_day_that_they_wait():
    """So no more of one center wait at once than its burst, twice over."""
    whole_ms = UNKNOWN_REFERRALS_PER_CENTER.burst * UNKNOWN_REFERRALS_PER_CENTER.token_interval_ms

    assert whole_ms == 24 * 3600 * 1000
