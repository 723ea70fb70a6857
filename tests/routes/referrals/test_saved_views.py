"""Saved views of the worklist: a member's own, and those that the organization shares."""

import secrets

import pytest

from chalicelib.domain.referrals.saved_views import MAX_NAME, MAX_VIEWS
from tests.support.factories import CENTER, OTHER_PRACTICE, PRACTICE, build_member, build_views_body
from tests.support.stores import list_rows

PATH = "/v1/views"


@pytest.fixture
def member_client(shared_api):
    """The API as a member of the practice uses it who has saved nothing yet."""
    return open_client(shared_api, PRACTICE)


def open_client(api, tenant):
    """The API as a new member of an organization."""
    someone = build_member(tenant, n=secrets.randbelow(10**9))
    api.stores.members.add(someone)
    return api.get_client_for(someone)


def save(site, owner, body, version=None):
    """Save views as the successor of a version; of the current one if none is given."""
    current = site.get(PATH).json[owner]["version"] if version is None else version
    return site.send("PUT", f"{PATH}/{owner}", body, headers={"If-Match": f'"{current}"'})


def list_names(site, owner):
    """The names of the views, in order."""
    return [view["name"] for view in site.get(PATH).json[owner]["views"]]


def test_nothing_is_saved_at_first(member_client):
    assert member_client.get(PATH).json["mine"] == {"views": [], "version": 0}


def test_saved_views_are_read_again_in_their_order(member_client):
    """With the conditions that were set, and the order of the rows."""
    answer = save(
        member_client, "mine", build_views_body("Zoster", "Aster", worklist="late", late=True, center_id="ctr_mesa")
    )

    assert (answer.status, answer.headers["etag"]) == (200, '"1"')
    assert answer.json == member_client.get(PATH).json["mine"]
    query = {"worklist": "late", "late": True, "center_id": "ctr_mesa", "sort": "worst_first"}
    assert [(view["name"], view["query"]) for view in answer.json["views"]] == [("Zoster", query), ("Aster", query)]


def test_a_view_has_the_parameters_of_the_list(member_client):
    """What was saved can be sent back as the query of a list."""
    view = save(member_client, "mine", build_views_body("Urgent", urgency="urgent", late=False)).json["views"][0]
    query = "&".join(f"{name}={str(value).lower()}" for name, value in view["query"].items())

    assert member_client.get(f"/v1/referrals?{query}").status == 200


def test_a_filter_of_a_view_can_have_several_values(member_client):
    """And one value is stored and returned as earlier releases did."""
    body = build_views_body("Mine", stage=["submitted", "accepted", "submitted"], center_id=["ctr_mesa"])
    query = save(member_client, "mine", body).json["views"][0]["query"]

    assert query == {"stage": ["submitted", "accepted"], "center_id": "ctr_mesa", "sort": "worst_first"}
    assert member_client.get(PATH).json["mine"]["views"][0]["query"] == query


def test_own_views_are_seen_by_no_one_else(shared_api, member_client):
    save(member_client, "mine", build_views_body("Only mine"))

    assert list_names(open_client(shared_api, PRACTICE), "mine") == []


def test_shared_views_are_seen_by_the_whole_organization_only(shared_api, member_client):
    """Not by the other side of its referrals, and not by another practice."""
    name = f"Shared {secrets.token_hex(4)}"
    assert save(member_client, "shared", build_views_body(name)).status == 200

    seen = {
        tenant.tenant_id: name in list_names(open_client(shared_api, tenant), "shared")
        for tenant in (PRACTICE, OTHER_PRACTICE, CENTER)
    }
    assert seen == {PRACTICE.tenant_id: True, OTHER_PRACTICE.tenant_id: False, CENTER.tenant_id: False}


def test_two_members_do_not_overwrite_each_other(shared_api, member_client):
    """The second one has not seen the views of the first."""
    version = member_client.get(PATH).json["shared"]["version"]
    assert save(member_client, "shared", build_views_body("First"), version).status == 200

    answer = save(open_client(shared_api, PRACTICE), "shared", build_views_body("Second"), version)

    assert (answer.status, answer.json["code"]) == (412, "stale")
    assert list_names(member_client, "shared") == ["First"]


def test_a_repeat_after_a_lost_reply_succeeds(member_client):
    """The browser cannot know that its views were saved."""
    first = save(member_client, "mine", build_views_body("Late"), 0)

    again = save(member_client, "mine", build_views_body("Late"), 0)

    assert (again.status, again.json, again.headers["etag"]) == (200, first.json, first.headers["etag"])


def test_a_version_that_never_existed_is_stale(member_client):
    """Nothing was saved yet."""
    assert save(member_client, "mine", build_views_body("Late"), 1).status == 412


def test_who_changed_shared_views_is_in_the_audit_trail(shared_api):
    someone = build_member(PRACTICE, n=secrets.randbelow(10**9))
    shared_api.stores.members.add(someone)
    client = shared_api.get_client_for(someone)

    save(client, "mine", build_views_body("Mine"))
    save(client, "shared", build_views_body("Shared"))

    actions = [row["action"] for row in list_rows("audit") if row["actor_id"] == someone.member_id]
    assert actions == ["views.share"]


def test_stored_views_cannot_be_read_without_the_key(member_client):
    """A name is free text."""
    save(member_client, "mine", build_views_body("Canary of the clinic"))

    assert "Canary" not in repr(list_rows("referrals"))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (build_views_body("Same", "same"), "/views/1/name"),
        (build_views_body(""), "/views/0/name"),
        (build_views_body("x" * (MAX_NAME + 1)), "/views/0/name"),
        (build_views_body("Two\nlines"), "/views/0/name"),
        (build_views_body(*map(str, range(MAX_VIEWS + 1))), "/views"),
        (build_views_body("Search", q="Duarte"), "/views/0/query/…"),
        (build_views_body("Wrong", worklist="worst"), "/views/0/query/worklist"),
        (build_views_body("Wrong", late="yes"), "/views/0/query/late"),
        (build_views_body("Wrong", late={}), "/views/0/query/late"),
        (build_views_body("Wrong", late=1), "/views/0/query/late"),
        (build_views_body("Wrong", stage={}), "/views/0/query/stage/0"),
        (build_views_body("Wrong", center_id=[{}]), "/views/0/query/center_id/0"),
        (build_views_body("Wrong", urgency=[]), "/views/0/query/urgency"),
        (build_views_body("Wrong", stage=[]), "/views/0/query/stage"),
        (build_views_body("Wrong", stage=["submitted", "sent"]), "/views/0/query/stage/1"),
        (build_views_body("Wrong", phase=["referral"]), "/views/0/query/phase"),
    ],
)
def test_a_view_that_cannot_be_shown_is_refused(member_client, body, pointer):
    """A search is refused too, because it can be a patient's name."""
    answer = save(member_client, "mine", body)

    assert (answer.status, [each["pointer"] for each in answer.json["errors"]]) == (400, [pointer])
    assert list_names(member_client, "mine") == []


def test_all_views_can_be_removed(member_client):
    save(member_client, "mine", build_views_body("Late"))

    assert save(member_client, "mine", build_views_body()).json == {"views": [], "version": 2}
