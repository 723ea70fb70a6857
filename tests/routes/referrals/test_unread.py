"""Changed since you last looked: each member's own, and only what others did."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from chalicelib.domain.referrals.worklists import Worklist
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals import search as lists
from chalicelib.services.referrals import unread as news
from tests.support import factories, faults
from tests.support import stores as shelves

READS = {"GetItem", "Query", "BatchGetItem", "Decrypt"}


@pytest.fixture
def referral_id(shared_api):
    """A referral that both coordinators have looked at."""
    referral_id = shared_api.refer()["referral_id"]
    for site in (shared_api.practice, shared_api.center):
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


def test_what_somebody_else_did_is_news(shared_api, referral_id):
    """In the list, in the count, in the worklist, and on the page when it is opened."""
    before = counted(shared_api.practice)
    shared_api.move_to(referral_id, "received")

    assert in_list(shared_api.practice, referral_id) is True
    assert in_list(shared_api.practice, referral_id, "&worklist=changed_since_seen") is True
    assert counted(shared_api.practice) == before + 1
    assert opened(shared_api.practice, referral_id) is True


def test_it_is_news_until_one_looks(shared_api, referral_id):
    """And no longer: neither on the page nor in the list."""
    shared_api.move_to(referral_id, "received")
    before = counted(shared_api.practice)

    looked(shared_api.practice, referral_id)

    assert opened(shared_api.practice, referral_id) is False
    assert in_list(shared_api.practice, referral_id) is False
    assert in_list(shared_api.practice, referral_id, "&worklist=changed_since_seen") is None
    assert counted(shared_api.practice) == before - 1


def test_who_has_looked_is_each_members_own(shared_api, referral_id):
    """A colleague who has not opened it still has the news."""
    shared_api.move_to(referral_id, "received")
    looked(shared_api.practice, referral_id)
    colleague = shared_api.get_client_for(shared_api.members["provider"])

    assert in_list(colleague, referral_id) is True
    assert in_list(shared_api.center, referral_id) is True


def test_ones_own_change_is_no_news(shared_api, referral_id):
    """The center's coordinator accepted it: news for the practice alone."""
    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "accepted"}}
    answer = shared_api.center.post(f"/v1/referrals/{referral_id}/events", event)

    assert answer.status == 200, answer.text
    assert in_list(shared_api.center, referral_id) is False
    assert in_list(shared_api.practice, referral_id) is True


def test_ones_own_change_hides_no_news_before_it(shared_api, referral_id):
    """The feed reported first and was not looked at; then the member reported, too."""
    shared_api.move_to(referral_id, "received")
    event = {
        "type": "stage.changed",
        "occurred_at": (wiring.read_clock() + timedelta(seconds=1)).isoformat(),
        "data": {"stage": "accepted"},
    }
    shared_api.center.post(f"/v1/referrals/{referral_id}/events", event)

    assert in_list(shared_api.center, referral_id) is True


def test_what_one_has_just_written_is_no_news(shared_api):
    """A draft of one's own, written and changed; it is news for a colleague."""
    draft = shared_api.refer(submit=False)["referral_id"]
    shared_api.practice.patch(f"/v1/referrals/{draft}", {"urgency": "urgent"}, version=1)
    colleague = shared_api.get_client_for(shared_api.members["provider"])

    assert in_list(shared_api.practice, draft) is False
    assert in_list(colleague, draft) is True


def test_what_nobody_has_looked_at_for_a_quarter_is_no_news(shared_api, referral_id, monkeypatch):
    """Neither to who never opened it, nor when it is forgotten that somebody did."""
    late = wiring.read_clock() + timedelta(days=91)
    shared_api.move_to(referral_id, "received")
    site = shared_api.get_client_for(shared_api.members["practice"])
    member = shared_api.members["practice"]
    is_news = news.load_unread_check(member, context=RunContext(shared_api.stores, late))
    _, worklists = lists.count_referrals(member=member, context=RunContext(shared_api.stores, late), has_unread=is_news)

    assert in_list(site, referral_id) is True
    assert worklists[Worklist.CHANGED_SINCE_SEEN] == 0


def test_a_reading_is_one_small_write(shared_api, referral_id):
    """Its audit row, whether there is news or not; it stays news, as a program may have read."""
    shared_api.move_to(referral_id, "received")
    site = shared_api.get_client_for(factories.build_member(role=Role.PROVIDER))
    made = []
    for _ in range(2):
        with faults.inject_faults(faults.plan_never) as calls:
            assert opened(site, referral_id) is True
        made.append([name for name in calls.operations if name not in READS])

    assert made == [["PutItem"], ["PutItem"]]


def test_looking_makes_no_version(shared_api, referral_id):
    """And is one small write."""
    shared_api.move_to(referral_id, "received")
    site = shared_api.get_client_for(factories.build_member(role=Role.PROVIDER))

    with faults.inject_faults(faults.plan_never) as calls:
        assert told_of_a_look(site, referral_id, version=2) == 204

    assert [name for name in calls.operations if name not in READS] == ["PutItem"]
    assert site.get(f"/v1/referrals/{referral_id}").json["version"] == 2


def test_what_came_after_the_look_is_still_news(shared_api, referral_id):
    """One version was on the screen while the next one came."""
    shared_api.move_to(referral_id, "received", "accepted")

    assert told_of_a_look(shared_api.practice, referral_id, version=2) == 412
    assert in_list(shared_api.practice, referral_id) is True


def test_an_older_look_never_replaces_a_newer_one(shared_api, referral_id):
    """Two tabs: the slow answer of the first comes last."""
    member_id = shared_api.members["practice"].member_id
    for version in (5, 3):
        shared_api.stores.last_viewed.record_viewed(member_id, referral_id, version=version, now=wiring.read_clock())

    seen = shared_api.stores.last_viewed.get_viewed(member_id, referral_id, now=wiring.read_clock())
    assert seen == {referral_id: 5}


def test_a_look_tells_nothing_of_the_patient(shared_api, referral_id):
    """Who, which, up to where, until when."""
    looked(shared_api.practice, referral_id)

    names = {name for row in shelves.list_rows("looks") for name in row}
    assert names == {"member_id", "referral_id", "seen", "expires_at"}
