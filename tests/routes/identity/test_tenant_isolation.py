"""Another tenant's data does not exist for the caller, to the byte."""

import pytest

from tests.support import factories
from tests.support.api_driver import STAGES_TO_INFUSED

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
    "messages": ("GET", "/v1/referrals/{}/messages", None),
    "send a message": ("POST", "/v1/referrals/{}/messages", {"text": "Hello."}),
    "confirm messages": ("POST", "/v1/referrals/{}/messages/read", {"up_to": 1}),
    "requests": ("GET", "/v1/referrals/{}/information-requests", None),
    "request": ("POST", "/v1/referrals/{}/information-requests", {"text": "Which regimen?"}),
    "answer": (
        "POST",
        "/v1/referrals/{}/information-requests/irq_x/answer",
        {"items": [{"item_id": "1", "kind": "sent_separately"}]},
    ),
    "close": ("POST", "/v1/referrals/{}/information-requests/irq_x/close", None),
    "follow-up": ("GET", "/v1/referrals/{}/follow-up", None),
    "packet": ("GET", "/v1/referrals/{}/packet.pdf", None),
    "calendar": ("GET", "/v1/referrals/{}/follow-up.ics", None),
}


@pytest.fixture(params=list(ROUTES.values()), ids=list(ROUTES))
def request_as(request):
    """Request a referral by id, as a member."""
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
def infused_referral_id(shared_api):
    """A referral with everything: events, and an open window."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED)
    return referral_id


@pytest.fixture(scope="module")
def draft_referral_id(shared_api):
    """A draft that names a center, which must not learn of it."""
    return shared_api.refer(submit=False)["referral_id"]


def list_audited(world, referral_id):
    """Return the rows about reads and refusals."""
    of_it = {"id": f"{referral_id}/reads"}
    return list(world.stores.audit_log.table.query_all("referral_id = :id", of_it))


@pytest.mark.parametrize("stranger", ["other_practice", "other_center", "practice_admin", "center_admin", "operator"])
def test_another_tenants_referral_is_the_same_404_as_an_unknown_one(
    shared_api, infused_referral_id, request_as, stranger
):
    """Status, headers and body: nothing reveals that the referral exists."""
    site = shared_api.get_client_for(shared_api.members[stranger])

    of_others, of_nobody = request_as(site, infused_referral_id), request_as(site, NOWHERE)

    assert of_others == of_nobody
    assert of_others.status == 404
    assert of_others.json["code"] == "not_found"


def test_a_draft_does_not_exist_for_the_center_it_names(shared_api, draft_referral_id, request_as):
    """A practice may think it over; the center learns of it at submission."""
    assert request_as(shared_api.center, draft_referral_id) == request_as(shared_api.center, NOWHERE)


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
def test_an_impossible_id_is_the_same_404(shared_api, request_as, odd):
    """Whether or not the path is looked up, the response is the same."""
    assert request_as(shared_api.practice, odd) == request_as(shared_api.practice, NOWHERE)


def test_an_id_in_other_letters_is_another_id(shared_api, infused_referral_id, request_as):
    """Neither upper case nor percent escapes that a gateway left alone lead to a referral."""
    assert request_as(shared_api.practice, infused_referral_id.upper()).status == 404


def test_no_list_or_count_shows_other_tenants_data(shared_api, infused_referral_id):
    """Lists are the tenant's own, whatever ids the filter names."""
    for stranger in (shared_api.other_practice, shared_api.other_center):
        for query in ("", "?center_id=ctr_harbor", "?q=Example", "?phase=treatment"):
            assert stranger.get(f"/v1/referrals{query}").json["items"] == []
        assert stranger.get("/v1/referrals/counts").json["total"] == 0


def test_a_center_does_not_count_or_list_drafts(shared_api, draft_referral_id):
    """A draft belongs to the practice alone, in lists and counts too."""
    listed = shared_api.center.get("/v1/referrals?limit=100").json["items"]

    assert draft_referral_id not in [item["referral_id"] for item in listed]
    assert shared_api.center.get("/v1/referrals/counts").json["phases"]["eligibility"] == 0


def test_a_refused_read_is_audited(shared_api):
    """With who tried, and nothing changes."""
    referral_id = shared_api.refer()["referral_id"]

    shared_api.other_practice.get(f"/v1/referrals/{referral_id}")
    shared_api.other_practice.post(f"/v1/referrals/{referral_id}/events", EVENT)

    tries = [row for row in list_audited(shared_api, referral_id) if row["outcome"] != "allowed"]
    stranger = shared_api.members["other_practice"].member_id
    assert sorted((row["actor_id"], row["action"], row["outcome"]) for row in tries) == [
        (stranger, "event.received", "not_found"),
        (stranger, "referral.read", "not_found"),
    ]
    assert shared_api.get_stage(referral_id) == "submitted"


def test_every_read_of_a_referral_is_audited(shared_api):
    """Who read a patient's referral can be found out later."""
    referral_id = shared_api.refer()["referral_id"]

    shared_api.center.get(f"/v1/referrals/{referral_id}", **{"X-Request-Id": REQUEST_ID})
    shared_api.center.get(f"/v1/referrals/{referral_id}/events")

    reader = shared_api.members["center"].member_id
    reads = [row for row in list_audited(shared_api, referral_id) if row["actor_id"] == reader]
    assert sorted((row["action"], row["outcome"]) for row in reads) == [
        ("referral.read", "allowed"),
        ("referral.read_events", "allowed"),
    ]
    assert REQUEST_ID in [row.get("request_id") for row in reads]


def test_a_referral_cannot_be_moved_under_another_tenants_name(shared_api):
    """The tenant comes from the caller; a body cannot name another one."""
    for field, value in {
        "practice_id": factories.OTHER_PRACTICE.tenant_id,
        "practice": {"tenant_id": factories.OTHER_PRACTICE.tenant_id},
        "created_by": shared_api.members["other_practice"].member_id,
    }.items():
        body = factories.build_referral_body() | {field: value}

        answer = shared_api.practice.post("/v1/referrals", body)

        assert answer.status == 400
        assert answer.json["errors"] == [
            {
                "pointer": "/…",
                "code": "extra_forbidden",
                "message": "This field is not known. Check its name and where it belongs.",
            }
        ]
