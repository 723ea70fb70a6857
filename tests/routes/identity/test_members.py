"""Administrators manage members, effective on a member's next request."""

import secrets

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from tests.support import factories
from tests.support.stale_reads import make_reads_stale

MEMBERS = "/v1/members"


class FakeIdentity:
    """An identity service that gives everyone an account."""

    def __init__(self):
        self.invited = []

    def create_account(self, email, *, pool_id):
        self.invited.append((email, pool_id))
        return f"sub-{email}"


@pytest.fixture
def accounts(monkeypatch):
    """The accounts that were created."""
    made = FakeIdentity()
    monkeypatch.setattr(wiring, "get_identity_service", lambda: made)
    return made


@pytest.fixture
def admin(shared_api):
    """An administrator of the practice."""
    return shared_api.get_client_for(shared_api.members["practice_admin"])


@pytest.fixture
def center_admin(shared_api):
    """An administrator of the center."""
    return shared_api.get_client_for(shared_api.members["center_admin"])


@pytest.fixture
def colleague(shared_api):
    """A coordinator of the practice that no other test uses."""
    member = factories.build_member(n=secrets.randbelow(10**9))
    shared_api.stores.members.add(member)
    return member


def an_invitation(**changed):
    email = f"{secrets.token_hex(6)}@cedar.example"
    return {"name": "New Person", "email": email, "roles": ["coordinator"]} | changed


def path_of(member_id):
    return f"{MEMBERS}/{member_id}"


def test_an_invited_person_is_a_member_at_once(shared_api, accounts, admin):
    """With an account of the identity service, and the given roles."""
    invitation = an_invitation(roles=["provider", "admin"])

    answer = admin.post(MEMBERS, invitation)

    assert answer.status == 201
    assert answer.json == {
        "member_id": answer.json["member_id"],
        "name": "New Person",
        "email": invitation["email"],
        "roles": ["admin", "provider"],
        "active": True,
        "version": 1,
    }
    assert answer.headers["etag"] == '"1"'
    assert [email for email, _ in accounts.invited] == [invitation["email"]]
    newcomer = factories.build_member(subject=f"sub-{invitation['email']}")
    assert shared_api.get_client_for(newcomer).get("/v1/me").json["roles"] == ["admin", "provider"]


def test_a_person_invited_right_before_an_event_is_notified(shared_api, accounts, center_admin):
    """While every index except that of due tasks still returns its old state."""
    referral_id = shared_api.refer()["referral_id"]
    invitation = an_invitation()
    newcomer = factories.build_member(subject=f"sub-{invitation['email']}")
    with make_reads_stale(1, caught_up=frozenset({"due"})):
        center_admin.get(MEMBERS)
        center_admin.post(MEMBERS, invitation)

        run_job(TaskQueue.EVENT, context=wiring.build_job_context())

    result = shared_api.get_client_for(newcomer).get("/v1/notices").json["items"]
    assert referral_id in {notice["referral_id"] for notice in result}


def test_an_invited_person_can_be_changed_at_once(accounts, admin):
    """By the id in the response, while weak reads do not know the person yet."""
    with make_reads_stale(1):
        invited = admin.post(MEMBERS, an_invitation()).json

        changed = admin.patch(path_of(invited["member_id"]), {"active": False}, version=1)

    assert (changed.status, changed.json["active"]) == (200, False)


def test_people_are_listed_by_name(shared_api, accounts, admin, center_admin):
    """Those of the caller's organization, disabled ones too; no one else's."""
    admin.post(MEMBERS, an_invitation(name="Aaron First"))

    listed = admin.get(MEMBERS).json["items"]

    names = [member["name"] for member in listed]
    assert names == sorted(names)
    assert names[0] == "Aaron First"
    assert {m["member_id"] for m in center_admin.get(MEMBERS).json["items"]}.isdisjoint(
        {m["member_id"] for m in listed}
    )
    assert shared_api.members["disabled"].member_id in {m["member_id"] for m in listed}


def test_a_disabled_member_is_refused_on_the_next_request(shared_api, admin, colleague):
    """And accepted again after reactivation, with the same token."""
    site = shared_api.get_client_for(colleague)

    shut_out = admin.patch(path_of(colleague.member_id), {"active": False}, version=1)
    outside = site.get("/v1/me")
    admin.patch(path_of(colleague.member_id), {"active": True}, version=2)

    assert (shut_out.status, shut_out.json["active"]) == (200, False)
    assert shut_out.headers["etag"] == '"2"'
    assert (outside.status, outside.json["code"]) == (403, "not_a_member")
    assert site.get("/v1/me").status == 200


def test_a_removed_role_is_gone_on_the_next_request(shared_api, admin, colleague):
    """An administrator alone sees no patient."""
    site = shared_api.get_client_for(colleague)
    before = site.get("/v1/referrals").status

    admin.patch(path_of(colleague.member_id), {"roles": ["admin"]}, version=1)

    assert (before, site.get("/v1/referrals").status) == (200, 403)


def test_administrators_cannot_disable_themselves(shared_api, admin):
    """Nor give up the role: an administrator always remains."""
    me = shared_api.members["practice_admin"].member_id

    for change in ({"active": False}, {"roles": ["coordinator"]}):
        answer = admin.patch(path_of(me), change, version=1)
        assert (answer.status, answer.json["code"]) == (409, "not_yourself")
    assert admin.get(MEMBERS).status == 200


def test_a_role_has_to_fit_the_organization(accounts, admin, center_admin, colleague):
    """A practice has no clinicians of a center, and no one becomes an operator this way."""
    refused = [
        admin.post(MEMBERS, an_invitation(roles=["clinician"])),
        admin.post(MEMBERS, an_invitation(roles=["operator"])),
        admin.post(MEMBERS, an_invitation(roles=["admin", "operator"])),
        center_admin.post(MEMBERS, an_invitation(roles=["provider"])),
        admin.patch(path_of(colleague.member_id), {"roles": ["operator"]}, version=1),
    ]

    assert [answer.status for answer in refused] == [400] * 5
    assert {answer.json["errors"][0]["pointer"] for answer in refused} == {"/roles"}
    assert accounts.invited == []


@pytest.mark.parametrize("field", ["tenant_id", "kind", "member_id", "subject", "version"])
def test_fields_of_the_product_cannot_be_sent(accounts, admin, colleague, field):
    """No one is invited into another organization, or moved to one."""
    invited = admin.post(MEMBERS, an_invitation(**{field: "ctr_harbor"}))
    changed = admin.patch(path_of(colleague.member_id), {field: "ctr_harbor"}, version=1)

    assert (invited.status, changed.status) == (400, 400)


def test_a_member_is_not_invited_again(accounts, admin, colleague):
    """A member has one membership."""
    invitation = an_invitation()
    admin.post(MEMBERS, invitation)

    again = admin.post(MEMBERS, invitation)

    assert (again.status, again.json["code"]) == (409, "already_a_member")


def test_a_repeated_invitation_creates_one_member(accounts, admin):
    """The same key, the same response, one member."""
    invitation = an_invitation()

    first = admin.post(MEMBERS, invitation, key="invite-once")
    again = admin.post(MEMBERS, invitation, key="invite-once")

    listed = [m for m in admin.get(MEMBERS).json["items"] if m["email"] == invitation["email"]]
    assert (first.text, again.headers["idempotent-replayed"]) == (again.text, "true")
    assert len(listed) == 1


def test_a_change_needs_the_version_that_was_read(admin, colleague):
    """Two administrators do not overwrite each other."""
    path = path_of(colleague.member_id)
    admin.patch(path, {"active": False}, version=1)

    assert admin.patch(path, {"active": True}, version=1).status == 412
    assert admin.patch(path, {"active": True}, version=None).status == 428


def test_another_organizations_member_is_404(center_admin, colleague):
    """The same as a member that does not exist."""
    same_id = {"If-Match": '"1"', "X-Request-Id": "one-id-for-both"}
    no_one = colleague.member_id[:-26] + "a" * 26

    theirs, none = (
        center_admin.send("PATCH", path_of(member_id), {"active": False}, headers=same_id)
        for member_id in (colleague.member_id, no_one)
    )

    assert theirs == none
    assert theirs.status == 404
