"""Centers, resources and codes as the API returns them."""

from collections.abc import Iterable
from typing import Any, NotRequired, cast

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.catalog.diagnoses import Diagnosis
from chalicelib.domain.eligibility.histologies import HISTOLOGIES
from chalicelib.store.identity.tenants import Center


class CapacityResponse(TypedDict):
    """How soon a center sees a new patient, as the center reported it on a date."""

    days_to_consultation: int | None
    as_of: str


class PayerNetworkResponse(TypedDict):
    """A payer whose network included the center on a date."""

    payer: str
    as_of: str


class PlaceResponse(TypedDict):
    """Roughly where a ZIP code is, in degrees north and east."""

    zip: str
    latitude: float
    longitude: float


class _CenterListing(TypedDict):
    """What the directory stores about a treatment center."""

    city: str
    state: str
    zip: str
    intake_phone: str
    after_hours_phone: str
    accepts_new: bool
    products: list[dict[str, Any]]
    contacts: list[dict[str, Any]]
    age_group: NotRequired[str]
    capacity: NotRequired[CapacityResponse]
    payer_networks: NotRequired[list[PayerNetworkResponse]]
    source: NotRequired[str | None]
    verified_on: NotRequired[str | None]
    listed: NotRequired[bool]
    fictional: NotRequired[bool]


class CenterResponse(_CenterListing):
    """A treatment center of the directory."""

    center_id: str
    name: str
    time_zone: str


class CenterMatchResponse(CenterResponse):
    """A center in search results. Miles are a straight line between ZIP codes, not a driving distance."""

    distance_miles: float | None
    place: PlaceResponse | None


class CenterPageResponse(TypedDict):
    """A page of the directory."""

    items: list[CenterMatchResponse]
    next_cursor: str | None
    near: PlaceResponse | None
    locations_as_of: str
    locations_may_be_out_of_date: bool
    sorted_by: str
    distances_are: str


class ProductListResponse(TypedDict):
    """The product catalog."""

    items: list[dict[str, Any]]


class TextLinkResponse(TypedDict):
    """A text of the operator, such as the terms of use. `path` is relative to the dashboard."""

    title: str
    path: str


class DisclaimersResponse(TypedDict):
    """What every page shows: the statements, links to the operator's texts; and the notice of the sign-in page."""

    statements: list[str]
    statements_in_short: str
    emergency_note: str
    emergency_note_in_short: str
    texts: list[TextLinkResponse]
    sign_in_notice: str


class ResourceSourceResponse(TypedDict):
    """Where a fact was read, and the day it applies to; if not `dated`, the day it was read."""

    title: str
    url: str
    as_of: str
    dated: bool


class ResourceResponse(TypedDict):
    """A national resource. `confirm` says what to ask before relying on it.

    `insured_only`: it helps only people who have insurance, for example with copays.
    """

    resource_id: str
    name: str
    organization: str
    kind: str
    topics: list[str]
    what: str
    insured_only: bool
    asked_by: str
    url: str
    phone: str
    phone_as_printed: str
    hours: str | None
    languages: list[str]
    last_checked: str
    review_by: str
    may_be_out_of_date: bool
    confirm: str | None
    sources: list[ResourceSourceResponse]


class ResourceListResponse(TypedDict):
    """The resources that match, with the labels of topics and languages."""

    items: list[ResourceResponse]
    topics: dict[str, str]
    languages: dict[str, str]
    reviewed_on: str


class DiagnosisCodeResponse(TypedDict):
    """A billable ICD-10-CM code."""

    code: str
    description: str
    diseases: list[str]


class HistologyResponse(TypedDict):
    """A histology of a disease: its code and name."""

    disease: str
    code: str
    name: str


class DiagnosisCodeListResponse(TypedDict):
    """The codes to choose from, their release, and the histologies of each disease.

    Once the release has ended, a newer one can have other codes.
    """

    release: dict[str, str]
    review_by: str
    may_be_out_of_date: bool
    items: list[DiagnosisCodeResponse]
    histologies: list[HistologyResponse]


def to_center_response(center: Center) -> CenterResponse:
    """A center of the directory."""
    # The directory stores a listing as it was imported; the import has checked each field.
    listing = cast("_CenterListing", center.listing)
    return {
        **listing,
        "center_id": center.center_id,
        "name": center.tenant.name,
        "time_zone": center.tenant.time_zone,
    }


def to_histologies_response(disease: str | None) -> list[HistologyResponse]:
    """The histologies of one disease, or of all."""
    return [
        {"disease": each, "code": code, "name": name}
        for each, names in HISTOLOGIES.items()
        if disease in (None, each)
        for code, name in names.items()
    ]


def to_codes_response(codes: Iterable[Diagnosis]) -> list[DiagnosisCodeResponse]:
    """Diagnosis codes with the diseases that they are offered for."""
    return [{"code": d.code, "description": d.description, "diseases": list(d.diseases)} for d in codes]
