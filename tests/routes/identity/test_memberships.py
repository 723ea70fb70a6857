"""One person with several memberships: each request acts in one organization, and never in another."""

import secrets
from dataclasses import replace
from types import SimpleNamespace

import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import Role, build_membership_key
from tests.support import factories, tokens
from tests.support.factories import CENTER, OTHER_PRACTICE, PRACTICE, build_member

MEMBERSHIPS = "/v1/memberships"


@pytest.fixture
def person():
    """The id of a person that no other test uses."""
    return f"sub-{secrets.token_hex(8)}"


def join(shared_api, person, tenant, **changed):
    """Make a person a member of a tenant, and return the member."""
    n = secrets.randbelow(10**9)
    member = build_member(tenant, n=n, **{"name": f"Dr. Quill at {tenant.name}"} | changed)
    store, known = shared_api.stores.members, shared_api.stores.members.list_for_person(person)
    key = build_membership_key(person, member.member_id) if known else person
    member = replace(member, subject=key)
    writes = store.prepare_add_later(member) if known else store.prepare_add(member)
    shared_api.stores.transactions.commit(*writes)
    return member


@pytest.fixture
def at_practice(shared_api, person):
    """The person's first membership."""
    return join(shared_api, person, PRACTICE)


@pytest.fixture
def at_center(shared_api, person, at_practice):
    """The person's second membership."""
    return join(shared_api, person, CENTER, role=Role.CLINICIAN)


@pytest.fixture
def client(shared_api, person):
    """A client with the person's token."""
    return shared_api.anyone.with_token(tokens.create_token(person))


def get_as(client, member, path="/v1/me"):
    """Send a request with a chosen membership."""
    return client.get(path, **{"X-Membership": member if isinstance(member, str) else member.member_id})


def set_access(shared_api, member, **changed):
    """Change the access of a member, and return the member as stored."""
    changed_member = replace(member, version=member.version + 1, **changed)
    shared_api.stores.transactions.commit(shared_api.stores.members.prepare_save(changed_member))
    return changed_member


def test_a_person_lists_own_memberships_in_the_order_of_joining(client, at_practice, at_center):
    """Each with the organization, and the name and roles there."""
    assert client.get(MEMBERSHIPS).json["items"] == [
        {
            "member_id": member.member_id,
            "name": f"Dr. Quill at {tenant.name}",
            "tenant": {
                "tenant_id": tenant.tenant_id,
                "kind": tenant.kind,
                "name": tenant.name,
                "time_zone": tenant.time_zone,
            },
            "roles": roles,
        }
        for member, tenant, roles in (
            (at_practice, PRACTICE, ["coordinator"]),
            (at_center, CENTER, ["clinician"]),
        )
    ]


def test_a_person_without_a_membership_has_an_empty_list(client):
    assert client.get(MEMBERSHIPS).json == {"items": []}


def test_a_membership_without_access_is_not_listed(shared_api, client, at_practice, at_center):
    set_access(shared_api, at_practice, active=False)

    assert [item["member_id"] for item in client.get(MEMBERSHIPS).json["items"]] == [at_center.member_id]


def test_the_header_chooses_the_membership_of_a_request(client, at_practice, at_center):
    """With one token, and no new sign-in."""
    tenants = [get_as(client, member).json["tenant"]["tenant_id"] for member in (at_practice, at_center, at_practice)]

    assert tenants == [PRACTICE.tenant_id, CENTER.tenant_id, PRACTICE.tenant_id]


def test_without_the_header_the_first_membership_acts(client, at_practice, at_center):
    """So a person's programs do not change what they do because another organization invites the person."""
    assert client.get("/v1/me").json["member_id"] == at_practice.member_id


def test_an_empty_header_chooses_no_membership(client, at_practice, at_center):
    """An app that sends it meant to choose. The first membership could be the wrong one."""
    assert get_as(client, "").status == 403


def test_without_the_header_the_next_membership_acts_when_the_first_one_ended(
    shared_api, client, at_practice, at_center
):
    """A person who left the first organization is not shut out of the second."""
    set_access(shared_api, at_practice, active=False)

    assert client.get("/v1/me").json["member_id"] == at_center.member_id


def test_a_person_invited_by_a_second_organization_can_act_there(shared_api, monkeypatch, client, person, at_practice):
    """Through the API: the invitation, the list, and a request."""
    accounts = SimpleNamespace(create_account=lambda _email, **_pool: person)
    monkeypatch.setattr(wiring, "get_identity_service", lambda: accounts)
    admin = shared_api.get_client_for(shared_api.members["center_admin"])
    invited = admin.post("/v1/members", {"name": "Quill, MD", "email": at_practice.email, "roles": ["clinician"]})

    assert invited.status == 201
    second = client.get(MEMBERSHIPS).json["items"][1]
    assert (second["member_id"], second["name"]) == (invited.json["member_id"], "Quill, MD")
    assert get_as(client, second["member_id"]).json["tenant"]["tenant_id"] == CENTER.tenant_id


def list_refusals(shared_api, member_id):
    """Return who tried to use a membership, and the outcome, from the audit trail."""
    rows = shared_api.stores.audit_log.list_chained_rows(f"member#{member_id}/reads")
    return [(row["actor_id"], row["action"], row["outcome"]) for row in rows if row["action"] == "membership.use"]


def test_a_membership_of_someone_else_is_refused_and_audited(shared_api, client, at_practice, at_center):
    """The same response as for an id that does not exist, and the attempt leaves a row."""
    of_another = join(shared_api, f"sub-{secrets.token_hex(8)}", OTHER_PRACTICE)
    headers = {"X-Request-Id": "one-request-id-for-all"}

    answers = [
        client.get("/v1/me", **headers, **{"X-Membership": member_id})
        for member_id in (of_another.member_id, "mem_" + "a" * 26, "mem_x", "%", "sub-1")
    ]

    assert {answer.status for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json["code"] == "not_a_member"
    assert list_refusals(shared_api, of_another.member_id) == [
        (at_practice.member_id, "membership.use", "not_a_member")
    ]


@pytest.mark.parametrize("path", ["/v1/referrals", "/v1/members", "/v1/notices", "/v1/me/calendar"])
def test_a_disabled_membership_cannot_be_chosen(shared_api, client, at_practice, at_center, path):
    """On the next request, although the person's other membership is active."""
    set_access(shared_api, at_center, active=False)

    answer = get_as(client, at_center, path)

    assert (answer.status, answer.json["code"]) == (403, "not_a_member")


def test_a_disabled_member_leaves_an_audit_row(shared_api, client, at_practice):
    """The administrators of the organization see that someone without access still tries."""
    set_access(shared_api, at_practice, active=False)

    assert client.get("/v1/referrals").status == 403

    assert list_refusals(shared_api, at_practice.member_id) == [
        (at_practice.member_id, "membership.use", "not_a_member")
    ]


def test_the_header_sent_twice_is_refused(client, at_practice, at_center):
    """One reader could use the first value and another reader the last."""
    event = client.build_event("GET", "/v1/me", None, {"Authorization": f"Bearer {client.token}"})
    event["headers"]["X-Membership"] = at_practice.member_id
    event["multiValueHeaders"]["X-Membership"] = [at_practice.member_id, at_center.member_id]

    assert client.invoke(event).json["code"] == "header_twice"


def test_data_of_one_membership_does_not_exist_in_the_other(shared_api, client, person, at_practice):
    """A draft of the practice, for the same person as a member of another practice."""
    elsewhere = join(shared_api, person, OTHER_PRACTICE)
    draft = client.post("/v1/referrals", factories.build_referral_body(submit=False)).json["referral_id"]

    statuses = [get_as(client, member, f"/v1/referrals/{draft}").status for member in (at_practice, elsewhere)]

    assert statuses == [200, 404]
    listed = get_as(client, elsewhere, "/v1/referrals").json["items"]
    assert draft not in {row["referral_id"] for row in listed}


def test_an_idempotency_key_of_one_membership_means_nothing_in_the_other(shared_api, client, person, at_practice):
    """Two memberships of one person are two callers."""
    elsewhere = join(shared_api, person, OTHER_PRACTICE)
    body = factories.build_referral_body(submit=False)

    answers = [
        client.send(
            "POST",
            "/v1/referrals",
            body,
            headers={"Idempotency-Key": "one-key", "X-Membership": member.member_id},
        )
        for member in (at_practice, elsewhere)
    ]

    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].json["referral_id"] != answers[1].json["referral_id"]


@pytest.mark.parametrize("chooses", [True, False], ids=["chosen", "default"])
def test_people_of_a_locked_organization_are_refused_on_the_next_request(shared_api, client, at_practice, chooses):
    """In plain words, with a code of its own."""
    before = client.get("/v1/me").status
    set_access(shared_api, at_practice, locked=True)

    answer = get_as(client, at_practice) if chooses else client.get("/v1/me")

    assert before == 200
    assert (answer.status, answer.json["code"]) == (403, "organization_locked")
    assert "is locked" in answer.json["detail"]
    assert client.get(MEMBERSHIPS).json["items"] == []


def test_an_access_token_is_needed_to_list_memberships(shared_api):
    assert shared_api.anyone.get(MEMBERSHIPS).status == 401
