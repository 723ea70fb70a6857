"""Entries of the eligibility check that a card in a health record offers, through a link that works once."""

from typing import Annotated

from pydantic import AfterValidator

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib import wiring
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.fields import StrictModel, build_pattern_validator
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import require_practice


class ChartEntriesRequest(StrictModel):
    """The token of a link. It is in the body, so that no log of addresses has it."""

    token: Annotated[
        str,
        AfterValidator(
            build_pattern_validator(r"[A-Za-z0-9_-]{43}", "This link is not complete. Open it from the health record.")
        ),
    ]
    """The token from the link on the card: 43 characters."""


class ChartTransplantResponse(TypedDict):
    """The last stem cell transplant that the chart has."""

    kind: str | None
    """The kind of transplant; null if none was read."""
    on: str | None
    """The day of the transplant (YYYY-MM-DD); null if none was read."""


class ChartDoseResponse(TypedDict):
    """The last dose of a treatment that matters before leukapheresis."""

    agent: str
    """The treatment that matters before leukapheresis, as a code."""
    given: bool
    """Whether it was given."""
    last_on: str | None
    """The day of the last dose (YYYY-MM-DD); null if none was read."""


class ChartClinicalResponse(TypedDict):
    """What was read, with the names of `POST /v1/screens`. Null was not read."""

    disease: str
    """The disease, as a code of the catalog such as `LBCL`."""
    histology: str | None
    """The histology as a code; null if none was read."""
    ecog: int | None
    """ECOG performance status, 0 to 4; null if none was read."""
    transplant: ChartTransplantResponse
    """The last stem cell transplant."""
    flags: dict[str, bool]
    """Points to discuss with the center, each true or false; one that is left out is not known."""
    last_doses: list[ChartDoseResponse]
    """Treatments that matter before leukapheresis, with their last days."""


class ChartCourseResponse(TypedDict):
    """A drug that the chart does not assign to a line of therapy, with its first and last day."""

    name: str
    """The name of the drug in the chart."""
    classes: list[str]
    """The classes of the drugs."""
    started_on: str | None
    """The first day (YYYY-MM-DD); null if none was read."""
    ended_on: str | None
    """The last day (YYYY-MM-DD); null if none was read."""


class ChartEntriesResponse(TypedDict):
    """Entries for a person to check. Nobody has grouped the courses into lines."""

    age: int | None
    """The age of the patient, in years; null if no date of birth was read."""
    clinical: ChartClinicalResponse
    """Disease and treatment so far."""
    courses: list[ChartCourseResponse]
    """Drugs that the chart does not assign to a line of therapy."""


@declare_endpoint("POST", "/v1/screens/chart-entries")
def take_chart_entries(request: ApiRequest, body: ChartEntriesRequest) -> ApiResponse[ChartEntriesResponse]:
    """Take the entries behind a card's link; each link works once, and for 15 minutes."""
    from chalicelib.services.ehr.chart_entries import take_entries  # noqa: PLC0415 few requests read charts

    require_practice(request.member)
    entries = take_entries(body.token, RunContext(wiring.get_stores(), request.now))
    return ApiResponse(body={"age": entries["age"], "clinical": entries["clinical"], "courses": entries["courses"]})
