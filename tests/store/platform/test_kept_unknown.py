"""What a newer release stored in a value survives reading, changing and storing by this one."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chalicelib.domain.platform.kept_unknown import KeepsUnknown, add_unknown, find_unknown
from chalicelib.domain.referrals.coverage_status import TrackStatus
from chalicelib.domain.referrals.referral import ReferralStatus
from chalicelib.store.platform import codec
from tests.support.factories import NOON

KINDS = KeepsUnknown.__subclasses__()


def store_with(kind, value, **new):
    """Store a value, and add what a newer release has."""
    return json.dumps(json.loads(codec.to_json(kind, value)) | new)


def test_a_new_member_is_written_back():
    read = codec.from_json(ReferralStatus, store_with(ReferralStatus, ReferralStatus(), new={"a": [1]}))

    stored = json.loads(codec.to_json(ReferralStatus, replace(read, updates_lost=3)))

    assert (stored["new"], stored["updates_lost"]) == ({"a": [1]}, 3)


def test_a_new_member_of_a_known_member_is_written_back():
    text = json.loads(codec.to_json(ReferralStatus, ReferralStatus()))
    text["feed"] = {"highest": 0, "new": "kept"}

    read = codec.from_json(ReferralStatus, json.dumps(text))
    changed = replace(read, feed=read.feed.with_sequence(4))

    assert json.loads(codec.to_json(ReferralStatus, changed))["feed"] == {
        "lowest": 4,
        "highest": 4,
        "missing": [],
        "new": "kept",
    }


def test_a_new_member_of_an_element_stays_with_its_element():
    known = {"elements": [{"id": 1}, {"id": 2}], "other": 1}
    unknown = find_unknown({"elements": [{"id": 1}, {"id": 2, "new": True}], "other": 1}, known)
    assert add_unknown({"elements": [{"id": 2}, {"id": 3}]}, unknown) == {
        "elements": [{"id": 2, "new": True}, {"id": 3}]
    }


def test_what_is_removed_takes_its_unknown_members_with_it():
    text = json.loads(codec.to_json(ReferralStatus, ReferralStatus()))
    hold = {"since": NOON.isoformat(), "reason_code": None, "until": None, "by": "center", "new": 1}

    read = codec.from_json(ReferralStatus, json.dumps(text | {"hold": hold}))

    assert json.loads(codec.to_json(ReferralStatus, replace(read, hold=None)))["hold"] is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_kind_stores_the_field_that_carries_them(kind):
    """It comes first in each, so that the empty one can be left out of the text."""
    assert next(iter(kind.__dataclass_fields__)) == "unknown_members"


def test_equal_values_are_equal_whatever_a_newer_release_stored():
    read = codec.from_json(TrackStatus, store_with(TrackStatus, TrackStatus(), new=1))

    assert read == TrackStatus()
    assert read.unknown_members


def test_an_older_moment_is_no_unknown_member():
    """A text that only differs in its spelling has nothing unknown."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    text = codec.to_json(ReferralStatus, ReferralStatus(withdrawal_requested_at=at)).replace("Z", "+00:00")

    assert not codec.from_json(ReferralStatus, text).unknown_members
