"""Entries of the eligibility check that a card in a health record offers, through a link that works once."""

from typing import Annotated

from chalice import Blueprint
from pydantic import AfterValidator

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib import wiring
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.fields import StrictModel, build_pattern_validator
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import require_practice

blueprint = Blueprint(__name__)


class ChartEntriesRequest(StrictModel):
    """The token of a link. It is in the body, so that no log of addresses has it."""

    token: Annotated[
        str,
        AfterValidator(
            build_pattern_validator(r"[A-Za-z0-9_-]{43}", "This link is not complete. Open it from the health record.")
        ),
    ]


class ChartTransplantResponse(TypedDict):
    """The last stem cell transplant that the chart has."""

    kind: str | None
    on: str | None


class ChartDoseResponse(TypedDict):
    """The last dose of a treatment that matters before leukapheresis."""

    agent: str
    given: bool
    last_on: str | None


class ChartClinicalResponse(TypedDict):
    """What was read, with the names of `POST /v1/screens`. Null was not read."""

    disease: str
    histology: str | None
    ecog: int | None
    transplant: ChartTransplantResponse
    flags: dict[str, bool]
    last_doses: list[ChartDoseResponse]


class ChartCourseResponse(TypedDict):
    """A drug that the chart does not assign to a line of therapy, with its first and last day."""

    name: str
    classes: list[str]
    started_on: str | None
    ended_on: str | None


class ChartEntriesResponse(TypedDict):
    """Entries for a person to check. Nobody has grouped the courses into lines."""

    age: int | None
    clinical: ChartClinicalResponse
    courses: list[ChartCourseResponse]


@declare_endpoint(blueprint, "POST", "/v1/screens/chart-entries")
def take_chart_entries(request: ApiRequest, body: ChartEntriesRequest) -> ApiResponse[ChartEntriesResponse]:
    """Take the entries behind a card's link; each link works once, and for 15 minutes."""
    from chalicelib.services.ehr.chart_entries import take_entries  # noqa: PLC0415 few requests read charts

    require_practice(request.member)
    entries = take_entries(body.token, RunContext(wiring.get_stores(), request.now))
    return ApiResponse(body={"age": entries["age"], "clinical": entries["clinical"], "courses": entries["courses"]})
