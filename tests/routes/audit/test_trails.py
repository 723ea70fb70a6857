"""Audit trails are read page by page, newest first, and each page is itself recorded."""

import secrets
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform import filtered_pages
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


class Office:
    """An organization of its own, so that its trail has only what one test did."""

    def __init__(self, clinic):
        self.clinic = clinic
        self.tenant = replace(factories.PRACTICE, tenant_id=f"prc_{secrets.token_hex(6)}")
        factories.add_tenants(clinic.stores, [self.tenant])
        self.admin, self.other = self.add(), self.add()
        self.site = clinic.get_client_for(self.admin)

    def add(self):
        """Add an administrator."""
        n = secrets.randbelow(10**12)
        member = factories.build_member(self.tenant, role=Role.ADMIN, n=n, subject=f"sub-{n}")
        factories.add_members(self.clinic.stores, [member])
        return member

    def act(self, member, times=1):
        """Let a member be refused something, which is in the trail."""
        for _ in range(times):
            assert self.clinic.get_client_for(member).get("/v1/centers/ctr_none/deliveries").status == 404

    def act_quickly(self, member, times):
        """Store many rows of a member's refusals."""
        entry = AuditEntry(
            referral_id=f"list#{member.member_id}",
            at=wiring.read_clock(),
            actor_id=member.member_id,
            tenant_id=self.tenant.tenant_id,
            action="organization.read_audit",
            outcome="not_found",
        )
        for _ in range(times):
            self.clinic.stores.audit_log.append_refusal(entry)

    def list_actors(self, actor, **query):
        """Return who did what the pages of an actor show."""
        path = f"/v1/audit?actor_id={actor.member_id}&{urlencode({'limit': 2} | query)}"
        answer = self.site.get(path)
        pages = [answer.json["items"]]
        while answer.json["next_cursor"]:
            answer = self.site.get(f"{path}&cursor={answer.json['next_cursor']}")
            pages.append(answer.json["items"])
        return [[row["actor_id"] for row in page] for page in pages]


@pytest.fixture
def office(shared_api):
    return Office(shared_api)


def test_a_trail_can_be_limited_to_one_person(office):
    office.act(office.admin)
    office.act(office.other, times=2)

    assert office.list_actors(office.other, limit=10) == [[office.other.member_id] * 2]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_the_pages_of_a_person_have_each_row_once(office, limit):
    for _ in range(3):
        office.act(office.other)
        office.act(office.admin)

    pages = office.list_actors(office.other, limit=limit)

    assert [actor for page in pages for actor in page] == [office.other.member_id] * 3
    assert max(len(page) for page in pages) <= limit


def test_a_page_reads_five_hundred_rows_at_most(office, monkeypatch):
    """And goes on with the next page, although it found nothing."""
    monkeypatch.setattr(filtered_pages, "READ_BUDGET", 6)
    monkeypatch.setattr(filtered_pages, "ROWS_PER_READ", 2)
    office.act(office.other)
    office.act_quickly(office.admin, times=7)

    assert office.list_actors(office.other) == [[], [office.other.member_id]]


def test_a_cursor_of_one_person_is_not_for_another(office):
    office.act(office.other, times=2)
    cursor = office.site.get(f"/v1/audit?actor_id={office.other.member_id}&limit=1").json["next_cursor"]

    answer = office.site.get(f"/v1/audit?actor_id={office.admin.member_id}&limit=1&cursor={cursor}")

    assert (answer.status, answer.json["code"]) == (400, "cursor_not_valid")


def test_a_member_of_another_organization_is_like_one_who_does_not_exist(shared_api, office):
    theirs, unknown = shared_api.members["center_admin"].member_id, f"mem_{'a' * 26}"

    answers = [office.site.get(f"/v1/audit?actor_id={each}") for each in (theirs, unknown)]

    assert [(answer.status, answer.json["code"]) for answer in answers] == [(404, "not_found")] * 2


def test_a_refused_filter_is_in_the_trail(shared_api, office):
    theirs = shared_api.members["center_admin"].member_id
    office.site.get(f"/v1/audit?actor_id={theirs}")

    [row] = office.site.get("/v1/audit").json["items"]

    assert (row["subject"], row["outcome"]) == (f"member#{theirs}", "not_found")


def test_what_a_disabled_person_did_can_still_be_read(office):
    office.act(office.other)
    path = f"/v1/members/{office.other.member_id}"
    assert office.site.patch(path, {"active": False}, version=1).status == 200

    assert office.list_actors(office.other) == [[office.other.member_id]]


def test_an_id_that_is_no_members_is_refused(office):
    assert office.site.get("/v1/audit?actor_id=system").status == 400
