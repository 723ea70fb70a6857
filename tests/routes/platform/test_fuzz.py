"""Whatever is sent, the response is a success or names the sender's fault: never an internal error."""

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import factories, handbacks
from tests.support.api_driver import REQUIRED_STAGES_TO_INFUSED

patient = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

TEXTS = st.text(max_size=60) | st.sampled_from(
    ["2026-11-20", "2026-11-20T10:00:00Z", "breyanzi", "ctr_harbor", "accepted", "LBCL", ""]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.integers(min_value=-3, max_value=12) | st.floats() | TEXTS
KEYS = TEXTS | st.sampled_from(["patient", "clinical", "data", "stage", "type", "submit", "note"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
EVENT: dict[str, Any] = {
    "type": "stage.replace_at",
    "occurred_at": "2026-11-20T10:00:00-05:00",
    "sequence": 1,
    "data": {"stage": "received", "part": 1, "of": 1, "local_date": "2026-11-20", "reason_code": "a", "note": "x"},
}


def list_places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every place in a JSON value, itself included."""
    if not isinstance(value, dict | list):
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [path] + [place for key, each in inner for place in list_places(each, (*path, key))]


def replace_at(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Copy a body with another value at one place."""
    if not place:
        return value
    result = copy.deepcopy(body)
    target = result
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    return result


def almost_valid(body: Any) -> st.SearchStrategy[Any]:
    """A valid body with one to three values replaced."""
    spot = st.tuples(st.sampled_from(list_places(body)[1:]), VALUES)
    return st.lists(spot, min_size=1, max_size=3).map(lambda spots: _apply(body, spots))


def _apply(body: Any, spots: list[tuple[tuple[Any, ...], Any]]) -> Any:
    # Deeper list_places first: a replaced section has no list_places of its own any more.
    for place, value in sorted(spots, key=lambda spot: -len(spot[0])):
        body = replace_at(body, place, value)
    return body


def dump_carelessly(value: Any) -> str:
    """Encode JSON like a careless program: with NaN, Infinity and lone surrogates."""
    return json.dumps(value)


def assert_not_our_fault(answer):
    assert answer.status < 500
    if answer.status >= 400:
        assert answer.json["code"] != "internal"
        assert answer.headers["content-type"] == "application/problem+json"


@patient
@given(body=VALUES | almost_valid(factories.build_referral_body()))
def test_no_body_of_a_referral_is_an_internal_error(shared_api, body):
    """Any JSON value, and any valid referral with something else in a few list_places."""
    assert_not_our_fault(shared_api.practice.post("/v1/referrals", dump_carelessly(body)))


@pytest.fixture(scope="module")
def referral_id(shared_api):
    """A referral for events."""
    return shared_api.refer()["referral_id"]


@patient
@given(body=VALUES | almost_valid(EVENT))
def test_no_body_of_an_event_is_an_internal_error(shared_api, referral_id, body):
    """Any JSON value, and any valid event with something else in a few list_places."""
    answer = shared_api.center.post(f"/v1/referrals/{referral_id}/events", dump_carelessly(body))

    assert_not_our_fault(answer)


@patient
@given(body=VALUES | almost_valid(EVENT | {"referral_id": "ref_" + "a" * 26}))
def test_no_body_of_a_delivery_is_an_internal_error(shared_api, body):
    """A signature makes a body genuine, not valid."""
    assert_not_our_fault(shared_api.deliver_raw(dump_carelessly(body).encode()))


@patient
@given(raw=st.binary(max_size=200))
def test_no_bytes_are_an_internal_error(shared_api, raw):
    """What is not JSON is refused as such."""
    answer = shared_api.practice.post("/v1/referrals", raw)

    assert_not_our_fault(answer)
    assert answer.status == 400


@patient
@given(changes=almost_valid(factories.build_referral_body(submit=...)))
def test_no_change_of_a_draft_is_an_internal_error(shared_api, changes):
    """A change takes what a referral takes; the result is still readable."""
    draft = shared_api.refer(submit=False)
    path = f"/v1/referrals/{draft['referral_id']}"

    assert_not_our_fault(shared_api.practice.send("PATCH", path, dump_carelessly(changes), headers=MATCH))
    assert shared_api.practice.get(path).status == 200
    assert shared_api.practice.get("/v1/referrals?limit=1").status == 200


@pytest.fixture(scope="module")
def summary_path(shared_api):
    """Where a center writes a transition-of-care summary."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, *REQUIRED_STAGES_TO_INFUSED)
    return f"/v1/referrals/{referral_id}/handback"


@settings(patient, max_examples=25)
@given(body=almost_valid(handbacks.build_handback_body()))
def test_no_summary_is_an_internal_error(shared_api, summary_path, body):
    """And what was accepted can be read again, with everything that follows from it."""
    version = shared_api.center.get(summary_path).json["version"]
    headers = {"If-Match": f'"{version}"'}

    assert_not_our_fault(shared_api.center.send("PUT", summary_path, dump_carelessly(body), headers=headers))
    for path in (
        summary_path,
        summary_path.replace("handback", "follow-up"),
        summary_path.replace("handback", "follow-up.ics"),
    ):
        assert shared_api.practice.get(path).status == 200


MATCH = {"If-Match": '"1"'}

HEADER_TEXT = st.text(
    alphabet=st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=80
)


@patient
@given(
    headers=st.dictionaries(
        st.sampled_from(
            ["Idempotency-Key", "If-Match", "X-Request-Id", "Content-Type", "Accept", "Origin",
             "Authorization", "webhook-id", "webhook-timestamp", "webhook-signature", "Cookie"]
        ),
        HEADER_TEXT,
    )
)  # fmt: skip
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/referrals"), ("PATCH", "/v1/referrals/ref_x"),
     ("POST", "/v1/webhooks/centers/ctr_harbor")],
)  # fmt: skip
def test_no_header_is_an_internal_error(shared_api, headers, method, path):
    """Whatever bytes are in a header, also where we parse it."""
    body = factories.build_referral_body(submit=False)

    assert_not_our_fault(shared_api.practice.send(method, path, body, headers=headers))


@patient
@given(
    name=st.sampled_from(["limit", "cursor", "stage", "phase", "worklist", "center_id", "q", "updated_since", "sort"]),
    value=st.text(max_size=50),
)
def test_no_parameter_is_an_internal_error(shared_api, name, value):
    """Also what no browser would send in an address."""
    from urllib.parse import quote

    answer = shared_api.practice.get(f"/v1/referrals?{name}={quote(value, errors='surrogatepass')}")

    assert_not_our_fault(answer)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_pythons_own_number_spellings_are_refused(shared_api, number):
    """The spelling that Python's own encoder uses for NaN and Infinity is not JSON."""
    body = factories.build_referral_body(clinical__ecog=number)

    assert shared_api.practice.post("/v1/referrals", dump_carelessly(body)).json["code"] == "not_json"
