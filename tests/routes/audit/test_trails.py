"""Audit trails are read page by page, newest first, and each page is itself recorded."""

import pytest

from chalicelib.domain.identity.members import Role
from tests.support import factories


@pytest.fixture
def admin(shared_api):
    """The administrator of the practice."""
    return shared_api.get_client_for(shared_api.members["practice_admin"])


@pytest.fixture
def center_admin(shared_api):
    """The administrator of the center."""
    return shared_api.get_client_for(shared_api.members["center_admin"])


def list_pages(site, path, limit):
    """Return all pages of a trail."""
    answer = site.get(f"{path}?limit={limit}")
    pages = [answer.json["items"]]
    while answer.json["next_cursor"]:
        answer = site.get(f"{path}?limit={limit}&cursor={answer.json['next_cursor']}")
        pages.append(answer.json["items"])
    return pages


@pytest.fixture
def read_referral_id(shared_api):
    """A referral that several people have moved, read, and been refused."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, "received", "accepted")
    for site in (shared_api.practice, shared_api.center, shared_api.other_practice):
        site.get(f"/v1/referrals/{referral_id}")
    return referral_id


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_pages_of_a_referrals_trail_have_each_row_once(shared_api, admin, read_referral_id, limit):
    """Writes, reads and refusals in one order, however long a page is."""
    pages = list_pages(admin, f"/v1/referrals/{read_referral_id}/audit", limit)
    rows = [row for page in pages for row in page]
    before = [row for row in rows if row["action"] != "referral.read_audit"]

    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    assert sorted((row["action"], row["outcome"]) for row in before) == [
        ("event.accepted", "allowed"),
        ("event.received", "allowed"),
        ("event.submitted", "allowed"),
        ("referral.read", "allowed"),
        ("referral.read", "allowed"),
        ("referral.read", "not_found"),
    ]
    assert {row["subject"] for row in rows} == {read_referral_id}
    # The first page shows that it is being read. Later ones are newer than it.
    assert len(rows) - len(before) == 1


def test_both_sides_see_the_same_trail_and_no_one_else_does(shared_api, center_admin, admin, read_referral_id):
    """Another organization's administrator gets what an unknown referral gets."""
    path = f"/v1/referrals/{read_referral_id}/audit"
    admin.get(path)

    assert center_admin.get(path).json["items"][1:] == admin.get(path).json["items"][2:]
    assert shared_api.other_practice.get(path).status == 403


def test_a_cursor_belongs_to_one_trail(shared_api, admin, read_referral_id):
    other = shared_api.refer()["referral_id"]
    cursor = admin.get(f"/v1/referrals/{read_referral_id}/audit?limit=1").json["next_cursor"]

    for path in (f"/v1/referrals/{other}/audit", "/v1/audit"):
        assert admin.get(f"{path}?limit=1&cursor={cursor}").status == 400


def test_an_organization_sees_what_it_changed_and_what_it_was_refused(shared_api, center_admin, read_referral_id):
    """And nothing of the other side."""
    center_id = factories.CENTER.tenant_id
    theirs = f"/v1/centers/{factories.OTHER_CENTER.tenant_id}/deliveries"
    assert center_admin.get(theirs).status == 404
    assert center_admin.post(f"/v1/centers/{center_id}/webhook-secrets", None, key="organization-trail").status == 201

    pages = list_pages(center_admin, "/v1/audit", 1)

    rows = [row for page in pages for row in page]
    assert {row["tenant_id"] for row in rows} == {center_id}
    assert [(row["action"], row["subject"], row["outcome"]) for row in rows[:2]] == [
        ("webhook_secret.make", f"center#{center_id}", "allowed"),
        ("list_deliveries", f"center#{factories.OTHER_CENTER.tenant_id}", "not_found"),
    ]
    assert read_referral_id not in {row["subject"] for row in rows}


def test_a_refused_attempt_on_a_referral_is_in_both_trails(shared_api, admin, read_referral_id):
    """In that of the referral, and in that of the organization whose person tried."""
    other_admin = factories.build_member(factories.OTHER_PRACTICE, role=Role.ADMIN, n=77)
    factories.add_members(shared_api.stores, [other_admin])

    rows = list_pages(shared_api.get_client_for(other_admin), "/v1/audit", 100)[0]

    [attempt] = [row for row in rows if row["subject"] == read_referral_id]
    assert attempt["outcome"] == "not_found"
    assert attempt in list_pages(admin, f"/v1/referrals/{read_referral_id}/audit", 100)[0]


@pytest.mark.parametrize("handle", ["practice", "center", "operator"])
def test_only_administrators_read_a_trail(shared_api, handle, read_referral_id):
    site = shared_api.get_client_for(shared_api.members[handle])

    for path in ("/v1/audit", f"/v1/referrals/{read_referral_id}/audit"):
        answer = site.get(path)
        assert (answer.status, answer.json["code"]) == (403, "admin_only")
