"""Changed since you last looked: each member's own, and only what others did."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from chalicelib.domain.referrals.worklists import Worklist
from chalicelib.services.referrals import search as lists
from chalicelib.services.referrals import unread as news
from tests.support import factories, faults, shelves

READS = {"GetItem", "Query", "BatchGetItem", "Decrypt"}


@pytest.fixture
def referral_id(world):
    """A referral that both coordinators have looked at."""
    referral_id = world.refer()["referral_id"]
    for site in (world.practice, world.center):
        looked(site, referral_id)
    return referral_id


def in_list(site, referral_id, query=""):
    """What the list says of it; None where it is not listed."""
    items = site.get(f"/v1/referrals?limit=100{query}").json["items"]
    told = {item["referral_id"]: item["changed_since_seen"] for item in items}
    return told.get(referral_id)


def opened(site, referral_id):
    """What the referral itself says."""
    return site.get(f"/v1/referrals/{referral_id}").json["changed_since_seen"]


def looked(site, referral_id):
    """Open it and say so, as the dashboard's page does."""
    version = site.get(f"/v1/referrals/{referral_id}").json["version"]
    assert told_of_a_look(site, referral_id, version=version) == 204


def told_of_a_look(site, referral_id, *, version):
    """The status that whoever has seen a version is answered."""
    tag = {"If-Match": f'"{version}"'}
    return site.send("PUT", f"/v1/referrals/{referral_id}/look", headers=tag).status


def counted(site):
    return site.get("/v1/referrals/counts").json["worklists"]["changed_since_seen"]


def test_what_somebody_else_did_is_news(world, referral_id):
    """In the list, in the count, in the worklist, and on the page when it is opened."""
    before = counted(world.practice)
    world.move_to(referral_id, "received")

    assert in_list(world.practice, referral_id) is True
    assert in_list(world.practice, referral_id, "&worklist=changed_since_seen") is True
    assert counted(world.practice) == before + 1
    assert opened(world.practice, referral_id) is True


def test_it_is_news_until_one_looks(world, referral_id):
    """And no longer: neither on the page nor in the list."""
    world.move_to(referral_id, "received")
    before = counted(world.practice)

    looked(world.practice, referral_id)

    assert opened(world.practice, referral_id) is False
    assert in_list(world.practice, referral_id) is False
    assert in_list(world.practice, referral_id, "&worklist=changed_since_seen") is None
    assert counted(world.practice) == before - 1


def test_who_has_looked_is_each_members_own(world, referral_id):
    """A colleague who has not opened it still has the news."""
    world.move_to(referral_id, "received")
    looked(world.practice, referral_id)
    colleague = world.site_of(world.members["provider"])

    assert in_list(colleague, referral_id) is True
    assert in_list(world.center, referral_id) is True


def test_ones_own_change_is_no_news(world, referral_id):
    """The center's coordinator accepted it: news for the practice alone."""
    event = {
        "type": "stage.changed",
        "occurred_at": wiring.now().isoformat(),
        "data": {"stage": "accepted"},
    }
    answer = world.center.post(f"/v1/referrals/{referral_id}/events", event)

    assert answer.status == 200, answer.text
    assert in_list(world.center, referral_id) is False
    assert in_list(world.practice, referral_id) is True


def test_ones_own_change_hides_no_news_before_it(world, referral_id):
    """The feed reported first and was not looked at; then the member reported, too."""
    world.move_to(referral_id, "received")
    event = {
        "type": "stage.changed",
        "occurred_at": (wiring.now() + timedelta(seconds=1)).isoformat(),
        "data": {"stage": "accepted"},
    }
    world.center.post(f"/v1/referrals/{referral_id}/events", event)

    assert in_list(world.center, referral_id) is True


def test_what_one_has_just_written_is_no_news(world):
    """A draft of one's own, written and changed; it is news for a colleague."""
    draft = world.refer(submit=False)["referral_id"]
    world.practice.patch(f"/v1/referrals/{draft}", {"urgency": "urgent"}, version=1)
    colleague = world.site_of(world.members["provider"])

    assert in_list(world.practice, draft) is False
    assert in_list(colleague, draft) is True


def test_what_nobody_has_looked_at_for_a_quarter_is_no_news(world, referral_id, monkeypatch):
    """Neither to who never opened it, nor when it is forgotten that somebody did."""
    late = wiring.now() + timedelta(days=91)
    world.move_to(referral_id, "received")
    site = world.site_of(world.members["practice"])
    member = world.members["practice"]
    is_news = news.watching(member, stores=world.stores, now=late)
    _, worklists = lists.counts(member=member, stores=world.stores, now=late, is_news=is_news)

    assert in_list(site, referral_id) is True
    assert worklists[Worklist.CHANGED_SINCE_SEEN] == 0


def test_a_reading_is_one_small_write(world, referral_id):
    """Its audit row, whether there is news or not; it stays news, as a program may have read."""
    world.move_to(referral_id, "received")
    site = world.site_of(factories.a_member(role=Role.PROVIDER))
    made = []
    for _ in range(2):
        with faults.injected(faults.never) as calls:
            assert opened(site, referral_id) is True
        made.append([name for name in calls.operations if name not in READS])

    assert made == [["PutItem"], ["PutItem"]]


def test_looking_makes_no_version(world, referral_id):
    """And is one small write."""
    world.move_to(referral_id, "received")
    site = world.site_of(factories.a_member(role=Role.PROVIDER))

    with faults.injected(faults.never) as calls:
        assert told_of_a_look(site, referral_id, version=2) == 204

    assert [name for name in calls.operations if name not in READS] == ["PutItem"]
    assert site.get(f"/v1/referrals/{referral_id}").json["version"] == 2


def test_what_came_after_the_look_is_still_news(world, referral_id):
    """One version was on the screen while the next one came."""
    world.move_to(referral_id, "received", "accepted")

    assert told_of_a_look(world.practice, referral_id, version=2) == 412
    assert in_list(world.practice, referral_id) is True


def test_an_older_look_never_replaces_a_newer_one(world, referral_id):
    """Two tabs: the slow answer of the first comes last."""
    member_id = world.members["practice"].member_id
    for version in (5, 3):
        world.stores.looks.remember(member_id, referral_id, version=version, now=wiring.now())

    seen = world.stores.looks.at(member_id, referral_id, now=wiring.now())
    assert seen == {referral_id: 5}


def test_a_look_tells_nothing_of_the_patient(world, referral_id):
    """Who, which, up to where, until when."""
    looked(world.practice, referral_id)

    names = {name for row in shelves.rows("looks") for name in row}
    assert names == {"member_id", "referral_id", "seen", "expires_at"}
