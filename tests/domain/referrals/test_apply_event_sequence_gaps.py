"""Missing updates: gaps in the sequence numbers of a center's events."""

from itertools import permutations

import pytest

from chalicelib.domain.referrals.events import EventSource, HoldStarted
from chalicelib.domain.referrals.referral import MAX_MISSING_SEQUENCES, SequenceTracker
from chalicelib.domain.referrals.stages import Stage
from tests.support.referral_values import HOUR, NOON, InMemoryInbox, build_event, build_referral, build_stage_change


def list_missing_after(*sequences, source=EventSource.CENTER_FEED):
    """List the missing sequences after events with these sequences arrived in this order."""
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
def test_a_gap_is_missing_until_it_is_filled(arrived, missing):
    """In any order."""
    assert list_missing_after(*arrived) == missing


def test_the_lowest_sequence_starts_the_count():
    """A system may number the events of all its patients; earlier numbers are not about this referral."""
    assert list_missing_after(4711) == ()
    assert list_missing_after(4711, 4713) == (4712,)


def test_the_order_of_arrival_does_not_change_the_missing_sequences():
    """24 orders of events with one lost update."""
    assert {list_missing_after(*order) for order in permutations((1, 2, 4, 5))} == {(3,)}


@pytest.mark.parametrize(
    ("gap", "counted"), [(MAX_MISSING_SEQUENCES, MAX_MISSING_SEQUENCES), (MAX_MISSING_SEQUENCES + 1, 0)]
)
def test_a_gap_of_more_than_50_is_ignored(gap, counted):
    """A system with such a gap numbers its events differently; the updates are not lost."""
    assert len(list_missing_after(1, gap + 2)) == counted


@pytest.mark.parametrize(("more", "kept"), [(0, MAX_MISSING_SEQUENCES), (1, 2)])
def test_the_limit_of_50_includes_sequences_that_are_already_missing(more, kept):
    """A new gap that exceeds the limit together with them is ignored."""
    tracker = SequenceTracker(lowest=1, highest=4, missing=(2, 3))
    sequence = 4 + (MAX_MISSING_SEQUENCES - 2) + 1 + more

    updated = tracker.with_sequence(sequence)

    assert len(updated.missing) == kept
    assert updated.highest == sequence


def test_the_widest_gap_is_never_listed():
    """A sequence as long as a timestamp, after or before 1."""
    assert list_missing_after(1, 10**11) == ()
    assert list_missing_after(10**11, 1) == ()


@pytest.mark.parametrize("source", [EventSource.PRACTICE, EventSource.CENTER, EventSource.SYSTEM])
def test_only_sequences_of_webhook_events_are_tracked(source):
    """A sequence in any other report has no meaning."""
    assert list_missing_after(1, 5, source=source) == ()


def test_every_event_type_is_tracked():
    """A center numbers its holds together with its stage changes."""
    events = [
        build_stage_change(Stage.RECEIVED, NOON - HOUR, event_id="a", sequence=1),
        build_event(HoldStarted, event_id="b", sequence=3),
        build_stage_change(Stage.RECEIVED, NOON - HOUR, event_id="c", sequence=2),
    ]

    feed = InMemoryInbox(build_referral(Stage.ACCEPTED)).receive(events).referral.status.feed

    assert (feed.highest, feed.missing) == (3, ())
