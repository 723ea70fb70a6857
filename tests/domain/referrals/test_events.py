"""The order of events, their ids, and the tolerance for events dated in the future."""

import re
from base64 import b32decode
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.platform.ids import derive_id, encode_id
from chalicelib.domain.referrals.stages import Stage
from tests.support.referral_values import HOUR, NOON, build_stage_change


def test_events_are_ordered_by_time_then_sequence_then_id():
    """What the sender reports decides; the time when we received the event does not."""
    events = [
        build_stage_change(Stage.ACCEPTED, NOON, sequence=9, event_id="z"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, event_id="c"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, sequence=1, event_id="a"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, sequence=1, event_id="b"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, sequence=2, event_id="a", recorded_at=NOON),
    ]

    assert sorted(events, key=lambda e: e.order) == events


def test_no_sequence_counts_as_zero():
    """So a system can start to send sequence numbers at any time."""
    none, zero = build_stage_change(Stage.ACCEPTED), build_stage_change(Stage.ACCEPTED, sequence=0)

    assert none.order == zero.order


@pytest.mark.parametrize(
    ("ahead", "is_in_the_future"),
    [
        (timedelta(0), False),
        (timedelta(minutes=10), False),
        (timedelta(minutes=10, microseconds=1), True),
        (timedelta(days=26_000), True),
        (timedelta(days=-1_800), False),
    ],
)
def test_a_time_may_be_ten_minutes_in_the_future(ahead, is_in_the_future):
    """That allows for a wrong clock; an event dated 2099 would always be the latest."""
    change = build_stage_change(Stage.ACCEPTED, NOON + ahead, recorded_at=NOON)

    assert change.is_in_the_future == is_in_the_future


def test_a_derived_id_is_128_bits_of_lowercase_base32():
    """Safe in a URL and too long to guess."""
    assert re.fullmatch(r"evt_[a-z2-7]{26}", derive_id("evt", "ctr_1", "msg_1"))


def test_the_same_parts_give_the_same_id():
    """A repeated delivery names the same event."""
    assert derive_id("evt", "ctr_1", "msg_1") == derive_id("evt", "ctr_1", "msg_1")


words = st.lists(st.text("ab", max_size=3), min_size=1, max_size=3)


@given(parts=st.lists(words, max_size=5, unique_by=tuple))
def test_different_parts_give_different_ids(parts):
    """Parts are separated: "a" and "bc" are not "ab" and "c"."""
    assert len({derive_id("evt", *part) for part in parts}) == len(parts)


@given(data=st.binary(min_size=16, max_size=16))
def test_an_id_encodes_its_bytes_without_loss(data):
    """26 characters for 128 bits can be decoded again."""
    assert b32decode(encode_id(data).upper() + "======") == data
