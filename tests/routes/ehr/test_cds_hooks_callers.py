"""Who may request cards, and whose pages may read them."""

import pytest

from tests.support import ehr


def test_whatever_is_wrong_with_a_token_gets_the_same_401(shared_api):
    """Before the body is read, and for the second use of a valid token too."""
    used = ehr.create_token()
    shared_api.anyone.send("POST", ehr.PATIENT_VIEW, ehr.load_hook(), headers={"Authorization": f"Bearer {used}"})
    wrong = {
        "none": None,
        "not a bearer": f"Basic {ehr.create_token()}",
        "no token": "Bearer x",
        "of a person": f"Bearer {shared_api.practice.token}",
        "another service": f"Bearer {ehr.create_token(ehr.ORDER_SIGN)}",
        "another system": f"Bearer {ehr.create_token(iss='https://evil.example')}",
        "used": f"Bearer {used}",
    }

    answers = {
        name: shared_api.anyone.send(
            "POST", ehr.PATIENT_VIEW, b"not JSON", headers={"Authorization": header, "X-Request-Id": "one-request-id"}
        )
        for name, header in wrong.items()
    }

    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(wrong, 401)
    assert len({answer.text for answer in answers.values()}) == 1


def test_a_token_of_a_health_record_works_on_no_other_route(shared_api):
    """It belongs to no person, so to no member."""
    assert shared_api.anyone.with_token(ehr.create_token("/v1/me")).get("/v1/me").status == 401


@pytest.mark.parametrize("path", [f"{ehr.PATIENT_VIEW}/feedback", ehr.PATIENT_VIEW])
def test_feedback_accepts_a_token_for_its_own_address_or_for_its_service(shared_api, path):
    """Health record systems do either."""
    answer = send_feedback(shared_api, ehr.create_token(path))

    assert (answer.status, answer.json) == (200, {})


@pytest.mark.parametrize("path", [ehr.ORDER_SIGN, f"{ehr.ORDER_SIGN}/feedback", "", "/feedback"])
def test_feedback_refuses_a_token_for_another_service(shared_api, path):
    assert send_feedback(shared_api, ehr.create_token(path)).status == 401


def test_a_token_for_feedback_gets_no_cards(shared_api):
    """It is for less."""
    authorization = f"Bearer {ehr.create_token(f'{ehr.PATIENT_VIEW}/feedback')}"

    assert ehr.call_hook(shared_api.anyone, ehr.load_hook(), Authorization=authorization).status == 401


def send_feedback(world, token):
    headers = {"Authorization": f"Bearer {token}"}
    return world.anyone.send("POST", f"{ehr.PATIENT_VIEW}/feedback", {"feedback": []}, headers=headers)


def test_only_pages_of_a_listed_origin_may_read_the_responses(shared_api):
    """Refusals too, so that the page can show why."""
    for origin, allowed in ((ehr.ORIGIN, ehr.ORIGIN), ("https://evil.example", None)):
        asked = shared_api.anyone.send("OPTIONS", ehr.PATIENT_VIEW, headers={"Origin": origin})
        found = shared_api.anyone.get("/cds-services", Origin=origin)
        refused = shared_api.anyone.send("POST", ehr.PATIENT_VIEW, {}, headers={"Origin": origin})

        assert asked.status == 204
        assert refused.status == 401
        for answer in (asked, found, refused):
            assert answer.headers.get("access-control-allow-origin") == allowed
            assert answer.headers["vary"] == "Origin"
            assert "access-control-allow-credentials" not in answer.headers
        assert ("access-control-allow-methods" in asked.headers) is bool(allowed)


def test_no_other_route_allows_other_origins(shared_api):
    """The dashboard's own routes answer only its own origin."""
    answer = shared_api.practice.get("/v1/me", Origin=ehr.ORIGIN)

    assert "access-control-allow-origin" not in answer.headers
