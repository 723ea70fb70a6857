"""What belongs to another tenant does not exist, to the byte."""

import pytest

from tests.support import factories
from tests.support.clinic import TO_INFUSED

REQUEST_ID = "one-request-id-for-all"
NOWHERE = "ref_" + "a" * 26
EVENT: dict[str, object] = {
    "type": "stage.changed",
    "occurred_at": "2026-11-20T10:00:00-05:00",
    "data": {"stage": "received"},
}
ROUTES = {
    "read": ("GET", "/v1/referrals/{}", None),
    "change": ("PATCH", "/v1/referrals/{}", {"urgency": "urgent"}),
    "report": ("POST", "/v1/referrals/{}/events", EVENT),
    "timeline": ("GET", "/v1/referrals/{}/events", None),
    "window": ("GET", "/v1/referrals/{}/window", None),
    "notices": ("GET", "/v1/referrals/{}/notices", None),
    "hand-back": ("GET", "/v1/referrals/{}/handback", None),
    "hand back": ("PUT", "/v1/referrals/{}/handback", {"lot": "L-1"}),
    "follow-up": ("GET", "/v1/referrals/{}/follow-up", None),
    "calendar": ("GET", "/v1/referrals/{}/follow-up.ics", None),
}


@pytest.fixture(params=list(ROUTES.values()), ids=list(ROUTES))
def ask(request):
    """A way to ask for a referral by id, as somebody."""
    method, path, body = request.param

    def send(site, referral_id):
        return site.send(
            method,
            path.format(referral_id),
            body,
            headers={"Idempotency-Key": "k", "If-Match": '"2"', "X-Request-Id": REQUEST_ID},
        )

    return send


@pytest.fixture(scope="module")
def infused(world):
    """A referral that has everything: events, and an open window."""
    referral_id = world.refer()["referral_id"]
    world.move_to(referral_id, *TO_INFUSED)
    return referral_id


@pytest.fixture(scope="module")
def draft(world):
    """A draft that names a center, which must not learn of it."""
    return world.refer(submit=False)["referral_id"]


def audited(world, referral_id):
    """The rows about reads and refusals."""
    of_it = {"id": f"{referral_id}/reads"}
    return list(world.stores.audit.table.every("referral_id = :id", of_it))


@pytest.mark.parametrize(
    "stranger", ["other_practice", "other_center", "practice_admin", "center_admin", "operator"]
)
def test_a_referral_of_others_is_the_same_404_as_none_at_all(world, infused, ask, stranger):
    """Status, headers and body: nothing tells a stranger that there is a referral."""
    site = world.site_of(world.members[stranger])

    of_others, of_nobody = ask(site, infused), ask(site, NOWHERE)

    assert of_others == of_nobody
    assert of_others.status == 404
    assert of_others.json["code"] == "not_found"


def test_a_draft_does_not_exist_for_the_center_it_names(world, draft, ask):
    """A practice may think it over; the center hears of it when it is submitted."""
    assert ask(world.center, draft) == ask(world.center, NOWHERE)


@pytest.mark.parametrize(
    "odd",
    [
        "ref_short",
        "REF_" + "A" * 26,
        "ref_" + "a" * 27,
        "list%23prc_cedar",
        "member%23mem_x",
        "ref_%00",
        "%2e%2e",
        "ref_a%2fevents",
        "ref_" + "a" * 3000,
        "%F0%9F%92%89",
        "null",
        "0",
    ],
)
def test_what_is_no_id_of_ours_is_the_same_404(world, ask, odd):
    """Whatever stands in the path is looked up or not, and the answer does not tell which."""
    assert ask(world.practice, odd) == ask(world.practice, NOWHERE)


def test_an_id_in_other_letters_is_another_id(world, infused, ask):
    """Neither upper case nor percent escapes that a gateway left alone lead to a referral."""
    assert ask(world.practice, infused.upper()).status == 404


def test_no_list_or_count_shows_what_belongs_to_others(world, infused):
    """Lists are the tenant's own, whoever's ids the filter names."""
    for stranger in (world.other_practice, world.other_center):
        for query in ("", "?center_id=ctr_harbor", "?q=Example", "?phase=treatment"):
            assert stranger.get(f"/v1/referrals{query}").json["items"] == []
        assert stranger.get("/v1/referrals/counts").json["total"] == 0


def test_a_center_does_not_count_or_list_drafts(world, draft):
    """A draft is the practice's alone, in lists and counts too."""
    listed = world.center.get("/v1/referrals?limit=100").json["items"]

    assert draft not in [item["referral_id"] for item in listed]
    assert world.center.get("/v1/referrals/counts").json["phases"]["eligibility"] == 0


def test_a_stranger_who_tries_is_on_record(world):
    """A refused look is audited with who tried, and changes nothing."""
    referral_id = world.refer()["referral_id"]

    world.other_practice.get(f"/v1/referrals/{referral_id}")
    world.other_practice.post(f"/v1/referrals/{referral_id}/events", EVENT)

    tries = [row for row in audited(world, referral_id) if row["outcome"] != "allowed"]
    stranger = world.members["other_practice"].member_id
    assert sorted((row["actor_id"], row["action"], row["outcome"]) for row in tries) == [
        (stranger, "event.received", "not_found"),
        (stranger, "referral.read", "not_found"),
    ]
    assert world.stage_of(referral_id) == "submitted"


def test_every_read_of_a_referral_is_on_record(world):
    """Who looked at a patient's referral can be told later."""
    referral_id = world.refer()["referral_id"]

    world.center.get(f"/v1/referrals/{referral_id}", **{"X-Request-Id": REQUEST_ID})
    world.center.get(f"/v1/referrals/{referral_id}/events")

    reader = world.members["center"].member_id
    reads = [row for row in audited(world, referral_id) if row["actor_id"] == reader]
    assert sorted((row["action"], row["outcome"]) for row in reads) == [
        ("referral.read", "allowed"),
        ("referral.read_events", "allowed"),
    ]
    assert REQUEST_ID in [row.get("request_id") for row in reads]


def test_a_referral_cannot_be_moved_under_another_tenants_name(world):
    """Whose it is comes from who is asking; a body cannot say otherwise."""
    for field, value in {
        "practice_id": factories.OTHER_PRACTICE.tenant_id,
        "practice": {"tenant_id": factories.OTHER_PRACTICE.tenant_id},
        "created_by": world.members["other_practice"].member_id,
    }.items():
        body = factories.a_referral_body() | {field: value}

        answer = world.practice.post("/v1/referrals", body)

        assert answer.status == 400
        assert answer.json["errors"] == [
            {
                "pointer": f"/{field}",
                "code": "extra_forbidden",
                "message": "Extra inputs are not permitted",
            }
        ]
