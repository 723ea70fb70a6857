"""Whatever is sent, the response is as the OpenAPI document says, and never an error of ours."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import factories
from tests.support.openapi_fuzzing import fuzz_routes


def test_every_route_responds_as_the_openapi_document_says(shared_api):
    """Each sixteenth boundary value. `make simulation` sends all of them, and random values."""
    report = fuzz_routes(shared_api, every=16)

    assert report.faults == {}
    assert {200, 201, 202, 400, 404, 405, 409} <= report.statuses.keys()


HEADER_TEXT = st.text(
    alphabet=st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=80
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
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
    [
        ("POST", "/v1/referrals"),
        ("PATCH", f"/v1/referrals/{'ref_' + 'a' * 26}"),
        ("POST", "/v1/webhooks/centers/ctr_harbor"),
    ],
)
def test_no_header_causes_an_internal_error(shared_api, headers, method, path):
    """Any bytes, also in headers that the OpenAPI document does not list."""
    body = factories.build_referral_body(submit=False)

    answer = shared_api.practice.send(method, path, body, headers=headers)

    assert answer.status < 500
    assert answer.status < 400 or answer.headers["content-type"] == "application/problem+json"
