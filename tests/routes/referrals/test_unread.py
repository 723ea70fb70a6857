"""Unread changes: each member's own, and only what others did."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from chalicelib.domain.referrals.worklists import Worklist
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals import unread as news
from chalicelib.services.referrals.count import count_referrals
from tests.support import factories, faults
from tests.support import stores as store_tools

READS = {"GetItem", "Query", "BatchGetItem", "Decrypt"}


@pytest.fixture
def referral_id(shared_api):
    """A referral that both coordinators have viewed."""
    referral_id = shared_api.refer()["referral_id"]
    for site in (shared_api.practice, shared_api.center):
        view_referral(site, referral_id)
    return referral_id


def find_unread_in_list(site, referral_id, query=""):
    """Return what the list says about it; None where it is not listed."""
    items = site.get(f"/v1/referrals?limit=100{query}").json["items"]
    result = {item["referral_id"]: item["changed_since_seen"] for item in items}
    return result.get(referral_id)


def read_unread(site, referral_id):
    """Return what the referral itself says."""
    return site.get(f"/v1/referrals/{referral_id}").json["changed_since_seen"]


def view_referral(site, referral_id):
    """Open it and report the view, as the dashboard's page does."""
    version = site.get(f"/v1/referrals/{referral_id}").json["version"]
    assert report_view(site, referral_id, version=version) == 204


def report_view(site, referral_id, *, version):
    """Report a view of a version, and return the status."""
    tag = {"If-Match": f'"{version}"'}
    return site.send("PUT", f"/v1/referrals/{referral_id}/look", headers=tag).status


def counted(site):
    return site.get("/v1/referrals/counts").json["worklists"]["changed_since_seen"]


def test_another_members_change_is_unread(shared_api, referral_id):
    """In the list, in the count, in the worklist, and on the page when it is read_unread."""
    before = counted(shared_api.practice)
    shared_api.move_to(referral_id, "received")

    assert find_unread_in_list(shared_api.practice, referral_id) is True
    assert find_unread_in_list(shared_api.practice, referral_id, "&worklist=changed_since_seen") is True
    assert counted(shared_api.practice) == before + 1
    assert read_unread(shared_api.practice, referral_id) is True


def test_a_change_is_unread_until_it_is_viewed(shared_api, referral_id):
    """And no longer: neither on the page nor in the list."""
    shared_api.move_to(referral_id, "received")
    before = counted(shared_api.practice)

    view_referral(shared_api.practice, referral_id)

    assert read_unread(shared_api.practice, referral_id) is False
    assert find_unread_in_list(shared_api.practice, referral_id) is False
    assert find_unread_in_list(shared_api.practice, referral_id, "&worklist=changed_since_seen") is None
    assert counted(shared_api.practice) == before - 1


def test_views_belong_to_one_member(shared_api, referral_id):
    """For a colleague who has not read_unread it, it is still unread."""
    shared_api.move_to(referral_id, "received")
    view_referral(shared_api.practice, referral_id)
    colleague = shared_api.get_client_for(shared_api.members["provider"])

    assert find_unread_in_list(colleague, referral_id) is True
    assert find_unread_in_list(shared_api.center, referral_id) is True


def test_ones_own_change_is_not_unread(shared_api, referral_id):
    """The center's coordinator accepted it: unread for the practice alone."""
    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "accepted"}}
    answer = shared_api.center.post(f"/v1/referrals/{referral_id}/events", event)

    assert answer.status == 200, answer.text
    assert find_unread_in_list(shared_api.center, referral_id) is False
    assert find_unread_in_list(shared_api.practice, referral_id) is True


def test_ones_own_change_does_not_hide_earlier_unread_changes(shared_api, referral_id):
    """The center's system reported first and no one viewed it; then the member reported, too."""
    shared_api.move_to(referral_id, "received")
    event = {
        "type": "stage.changed",
        "occurred_at": (wiring.read_clock() + timedelta(seconds=1)).isoformat(),
        "data": {"stage": "accepted"},
    }
    shared_api.center.post(f"/v1/referrals/{referral_id}/events", event)

    assert find_unread_in_list(shared_api.center, referral_id) is True


def test_ones_own_draft_is_not_unread(shared_api):
    """Created and changed by its author; it is unread for a colleague."""
    draft = shared_api.refer(submit=False)["referral_id"]
    shared_api.practice.patch(f"/v1/referrals/{draft}", {"urgency": "urgent"}, version=1)
    colleague = shared_api.get_client_for(shared_api.members["provider"])

    assert find_unread_in_list(shared_api.practice, draft) is False
    assert find_unread_in_list(colleague, draft) is True


def test_a_change_is_not_unread_after_90_days(shared_api, referral_id, monkeypatch):
    """Neither for a member who never read_unread it, nor when a view has expired."""
    late = wiring.read_clock() + timedelta(days=91)
    shared_api.move_to(referral_id, "received")
    site = shared_api.get_client_for(shared_api.members["practice"])
    member = shared_api.members["practice"]
    context = RunContext(shared_api.stores, late)
    unread_rows = news.load_unread_rows(member, context=context)
    counts = count_referrals(member=member, context=context, unread_rows=unread_rows)

    assert find_unread_in_list(site, referral_id) is True
    assert counts.worklists[Worklist.CHANGED_SINCE_SEEN] == 0


def test_a_read_is_one_small_write(shared_api, referral_id):
    """Its audit row, whether there are unread changes or not; they stay unread, because a program may have read."""
    shared_api.move_to(referral_id, "received")
    site = shared_api.get_client_for(factories.build_member(role=Role.PROVIDER))
    made = []
    for _ in range(2):
        with faults.inject_faults(faults.plan_never) as calls:
            assert read_unread(site, referral_id) is True
        made.append([name for name in calls.operations if name not in READS])

    assert made == [["PutItem"], ["PutItem"]]


def test_a_view_makes_no_new_version(shared_api, referral_id):
    """And is one small write."""
    shared_api.move_to(referral_id, "received")
    site = shared_api.get_client_for(factories.build_member(role=Role.PROVIDER))

    with faults.inject_faults(faults.plan_never) as calls:
        assert report_view(site, referral_id, version=2) == 204

    assert [name for name in calls.operations if name not in READS] == ["UpdateItem"]
    assert site.get(f"/v1/referrals/{referral_id}").json["version"] == 2


def test_a_change_after_the_view_is_still_unread(shared_api, referral_id):
    """One version was on the screen while the next one came."""
    shared_api.move_to(referral_id, "received", "accepted")

    assert report_view(shared_api.practice, referral_id, version=2) == 412
    assert find_unread_in_list(shared_api.practice, referral_id) is True


def test_an_older_view_never_replaces_a_newer_one(shared_api, referral_id):
    """Two tabs: the slow response of the first comes last."""
    member_id = shared_api.members["practice"].member_id
    for version in (5, 3):
        shared_api.stores.last_viewed.record_viewed(member_id, referral_id, version=version, now=wiring.read_clock())

    seen = shared_api.stores.last_viewed.get_viewed(member_id, referral_id, now=wiring.read_clock())
    assert seen[referral_id].version == 5


def test_a_stored_view_contains_no_patient_data(shared_api, referral_id):
    """Who, which referral, up to which version, until when."""
    view_referral(shared_api.practice, referral_id)

    names = {name for row in store_tools.list_rows("looks") for name in row}
    assert names == {"member_id", "referral_id", "seen", "expires_at"}
