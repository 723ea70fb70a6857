"""What a center's own numbering tells: which of its updates have not arrived."""

from itertools import permutations

import pytest

from chalicelib.domain.referrals.events import EventSource, HoldStarted
from chalicelib.domain.referrals.referral import MAX_MISSING_SEQUENCES
from chalicelib.domain.referrals.stages import Stage
from tests.support.referral_values import HOUR, NOON, InMemoryInbox, build_event, build_referral, build_stage_change


def missing_after(*sequences, source=EventSource.CENTER_FEED):
    """What is missing after events of these numbers have arrived in this order."""
    events = [
        build_stage_change(Stage.RECEIVED, NOON - HOUR, event_id=f"evt_{n}", sequence=n, source=source)
        for n in sequences
    ]
    return InMemoryInbox(build_referral(Stage.ACCEPTED)).receive(events).referral.status.feed.missing


@pytest.mark.parametrize(
    ("arrived", "missing"),
    [
        ((1, 2, 3), ()),
        ((1, 3), (2,)),
        ((1, 5), (2, 3, 4)),
        ((1, 3, 2), ()),
        ((3, 1), (2,)),
        ((0, 2), (1,)),
        ((1, 3, 6), (2, 4, 5)),
        ((1, 3, 3), (2,)),
        ((), ()),
    ],
)
def test_a_gap_between_numbers_is_missing_until_it_is_filled(arrived, missing):
    """In whatever order."""
    assert missing_after(*arrived) == missing


def test_the_lowest_number_starts_the_count():
    """A feed may count over all its patients; what was before the first is not ours."""
    assert missing_after(4711) == ()
    assert missing_after(4711, 4713) == (4712,)


def test_the_order_of_arrival_does_not_matter():
    """24 orders of a feed that lost one update."""
    told = {missing_after(*order) for order in permutations((1, 2, 4, 5))}

    assert told == {(3,)}


@pytest.mark.parametrize(
    ("gap", "counted"), [(MAX_MISSING_SEQUENCES, MAX_MISSING_SEQUENCES), (MAX_MISSING_SEQUENCES + 1, 0)]
)
def test_a_gap_too_wide_is_a_feed_that_numbers_otherwise(gap, counted):
    """Fifty updates of one patient are not lost; one more is another way of counting."""
    assert len(missing_after(1, gap + 2)) == counted


def test_the_widest_gap_costs_nothing():
    """A number as long as a time stamp, after 1: what lies between is never listed."""
    assert missing_after(1, 10**11) == ()
    assert missing_after(10**11, 1) == ()


@pytest.mark.parametrize("source", [EventSource.PRACTICE, EventSource.CENTER, EventSource.SYSTEM])
def test_only_a_feed_is_counted(source):
    """A person's number is nobody's count."""
    assert missing_after(1, 5, source=source) == ()


def test_every_kind_of_event_counts():
    """A center numbers its holds with its stages."""
    events = [
        build_stage_change(Stage.RECEIVED, NOON - HOUR, event_id="a", sequence=1),
        build_event(HoldStarted, event_id="b", sequence=3),
        build_stage_change(Stage.RECEIVED, NOON - HOUR, event_id="c", sequence=2),
    ]

    feed = InMemoryInbox(build_referral(Stage.ACCEPTED)).receive(events).referral.status.feed

    assert (feed.highest, feed.missing) == (3, ())
