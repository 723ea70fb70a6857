"""The dashboard's types are those of the OpenAPI document."""

from infra.web_types import TYPES, build_types


def test_the_types_of_the_dashboard_are_current():
    """After a change of a request or response type: `python -m infra.web_types`."""
    assert TYPES.read_text("utf-8") == build_types()


def test_the_dashboard_has_a_type_for_each_response():
    """Each schema of the document becomes one exported type."""
    types = build_types()

    assert "export interface ReferralResponse {" in types
    assert "  actions: ActionResponse[];" in types
    assert "  center: ReferralCenterResponse | null;" in types
    assert '  outcome: "accepted" | "overridden";' in types
