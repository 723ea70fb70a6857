"""Random tries at what is another tenant's: nobody gets anything, and nothing changes."""

from random import Random

import pytest

from chalicelib.domain.identity.members import Member
from tests.support import policy
from tests.support.strangers import AIMED, OPEN_TO_ALL, WIDE, Strangers
from tests.support.town import kept, open_town

TRIES = 2_000


@pytest.fixture(scope="module")
def town():
    """A town, and the tables behind it."""
    with open_town(3, 2) as (memory, town):
        yield town, memory


def test_every_route_for_members_is_tried_or_known_to_be_open():
    """A new route is tried by strangers from its first day."""
    writes_without_a_name = {("POST", "/v1/referrals"), ("POST", "/v1/members")}
    writes_without_a_name |= {("POST", "/v1/me/calendar"), ("DELETE", "/v1/me/calendar")}

    assert {*AIMED, *WIDE, *OPEN_TO_ALL, *writes_without_a_name} == set(policy.GUARDED)


def test_the_tries_would_find_a_hole(town, monkeypatch):
    """Where everybody may see everything, they tell; only so does their silence mean something."""
    monkeypatch.setattr(Member, "may_see", lambda _member, _referral: True)
    reading = Strangers(town[0], Random(2))  # noqa: S311 as below
    for person in town[0].people * 4:
        reading.aimed(person)

    assert any("told of" in found for found in reading.found)
    assert any("tells" in found for found in reading.found)


def test_no_try_at_what_is_anothers_succeeds(town):
    """Reads, writes, lists, counts, cursors, audit, deliveries and feeds, by everybody."""
    people, memory = town
    strangers = Strangers(people, Random(1))  # noqa: S311 a seed makes the same run again
    before = kept(memory)
    for _ in range(TRIES):
        strangers.try_once()

    assert strangers.found == []
    assert kept(memory) == before
