"""The order of events, their ids, and how far ahead one may be dated."""

import re
from base64 import b32decode
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.referrals.events import derive_id, encode_id
from chalicelib.domain.referrals.stages import Stage
from tests.support.referral_values import HOUR, NOON, build_stage_change


def test_events_are_ordered_by_time_then_sequence_then_id():
    """The sender's words decide; when we heard of it does not."""
    events = [
        build_stage_change(Stage.ACCEPTED, NOON, sequence=9, event_id="z"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, event_id="c"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, sequence=1, event_id="a"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, sequence=1, event_id="b"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, sequence=2, event_id="a", recorded_at=NOON),
    ]

    assert sorted(events, key=lambda e: e.order) == events


def test_no_sequence_counts_as_zero():
    """A feed that starts to count goes on from what it sent before."""
    none, zero = build_stage_change(Stage.ACCEPTED), build_stage_change(Stage.ACCEPTED, sequence=0)

    assert none.order == zero.order


@pytest.mark.parametrize(
    ("ahead", "refused"),
    [
        (timedelta(0), False),
        (timedelta(minutes=10), False),
        (timedelta(minutes=10, microseconds=1), True),
        (timedelta(days=26_000), True),
        (timedelta(days=-1_800), False),
    ],
)
def test_an_event_of_the_future_is_told_from_a_wrong_clock(ahead, refused):
    """Ten minutes; one dated 2099 would be the latest for ever."""
    change = build_stage_change(Stage.ACCEPTED, NOON + ahead, recorded_at=NOON)

    assert change.is_in_the_future == refused


def test_a_derived_id_is_128_bits_of_lower_case_base32():
    """Safe in a URL, too long to guess."""
    assert re.fullmatch(r"evt_[a-z2-7]{26}", derive_id("evt", "ctr_1", "msg_1"))


def test_the_same_parts_make_the_same_id():
    """A repeated delivery names the same event."""
    assert derive_id("evt", "ctr_1", "msg_1") == derive_id("evt", "ctr_1", "msg_1")


words = st.lists(st.text("ab", max_size=3), min_size=1, max_size=3)


@given(parts=st.lists(words, max_size=5, unique_by=tuple))
def test_other_parts_make_another_id(parts):
    """Parts cannot run into each other: "a" and "bc" are not "ab" and "c"."""
    assert len({derive_id("evt", *part) for part in parts}) == len(parts)


@given(raw=st.binary(min_size=16, max_size=16))
def test_an_id_spells_its_bytes_without_loss(raw):
    """26 letters for 128 bits, and back."""
    assert b32decode(encode_id(raw).upper() + "======") == raw
