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
    """Days from a referral to the first visit, as the center reported; null if it did not say."""
    as_of: str
    """The day to which this applies (YYYY-MM-DD)."""


class PayerNetworkResponse(TypedDict):
    """A payer whose network included the center on a date."""

    payer: str
    """The name of the insurance company or program."""
    as_of: str
    """The day to which this applies (YYYY-MM-DD)."""


class PlaceResponse(TypedDict):
    """Roughly where a ZIP code is, in degrees north and east."""

    zip: str
    """ZIP code or ZIP+4, such as `77030`."""
    latitude: float
    """Degrees north of the equator."""
    longitude: float
    """Degrees east of Greenwich; negative in the Americas."""


class _CenterListing(TypedDict):
    """What the directory stores about a treatment center."""

    city: str
    """City of the center."""
    state: str
    """State of the center, as two capital letters."""
    zip: str
    """ZIP code of the center."""
    intake_phone: str
    """Phone of the team that takes referrals."""
    after_hours_phone: str
    """Phone for emergencies at night and on weekends."""
    accepts_new: bool
    """Whether the center takes new patients."""
    products: list[dict[str, Any]]
    """The products that the center offers, each with its diseases, age group and certification."""
    contacts: list[dict[str, Any]]
    """People or desks to reach at the center, each with a name and a phone or email."""
    age_group: NotRequired[str]
    """Patients that the center treats: `adult`, `pediatric` or `all`; left out if it is not known."""
    capacity: NotRequired[CapacityResponse]
    """How soon the center sees new patients; left out if it did not report it."""
    payer_networks: NotRequired[list[PayerNetworkResponse]]
    """Payers whose networks include the center; left out if none is known."""
    source: NotRequired[str | None]
    """Where the entry was read."""
    verified_on: NotRequired[str | None]
    """The day on which the operator last checked the entry (YYYY-MM-DD)."""
    listed: NotRequired[bool]
    """Whether the center is on a manufacturer's public list."""
    fictional: NotRequired[bool]
    """Whether the center is an example that does not exist."""


class CenterResponse(_CenterListing):
    """A treatment center of the directory."""

    center_id: str
    """The ID of a treatment center, such as `ctr_harbor`."""
    name: str
    """The name of the center."""
    time_zone: str
    """The center's time zone, as an IANA name such as `America/Chicago`."""


class CenterMatchResponse(CenterResponse):
    """A center in search results. Miles are a straight line between ZIP codes, not a driving distance."""

    distance_miles: float | None
    """Straight-line miles from `near` to the center; null without `near`, or if a ZIP code is unknown."""
    place: PlaceResponse | None
    """Roughly where the center's ZIP code is; null if it is unknown."""


class CenterPageResponse(TypedDict):
    """A page of the directory."""

    items: list[CenterMatchResponse]
    """The items of this page, in the order of the list."""
    next_cursor: str | None
    """Send it as `cursor` to read the next page; null on the last page."""
    near: PlaceResponse | None
    """Where the ZIP code of the search is; null without one, or if it is unknown."""
    locations_as_of: str
    """The day to which the table of ZIP codes applies (YYYY-MM-DD)."""
    locations_may_be_out_of_date: bool
    """Whether the table of ZIP codes is past its review date."""
    sorted_by: str
    """How the list is sorted: `distance` or `name`."""
    distances_are: str
    """What kind of distance is given, for display: straight-line miles."""


class ProductListResponse(TypedDict):
    """The product catalog."""

    items: list[dict[str, Any]]
    """The CAR T products with their indications, each as the catalog has it."""


class TextLinkResponse(TypedDict):
    """A text of the operator, such as the terms of use. `path` is relative to the dashboard."""

    title: str
    """The title, for display."""
    path: str
    """The address of the page, relative to the dashboard."""


class DisclaimersResponse(TypedDict):
    """What every page shows: the statements, links to the operator's texts; and the notice of the sign-in page."""

    statements: list[str]
    """Sentences to show, in order."""
    statements_in_short: str
    """The statements in two lines of a phone. The full ones must open with one tap."""
    emergency_note: str
    """What to do in an emergency, for display next to clinical content."""
    emergency_note_in_short: str
    """The emergency note in one line of a phone."""
    texts: list[TextLinkResponse]
    """Links to the operator's texts."""
    sign_in_notice: str
    """The operator's notice on the sign-in page."""


class ResourceSourceResponse(TypedDict):
    """Where a fact was read, and the day it applies to; if not `dated`, the day it was read."""

    title: str
    """The title of the source."""
    url: str
    """The address of the source."""
    as_of: str
    """The day to which the source applies, or on which it was read (YYYY-MM-DD)."""
    dated: bool
    """Whether the source itself names its day."""


class ResourceResponse(TypedDict):
    """A national resource. `confirm` says what to ask before relying on it.

    `insured_only`: it helps only people who have insurance, for example with copays.
    """

    resource_id: str
    """The ID of a national resource in the catalog."""
    name: str
    """The name of the program or service."""
    organization: str
    """The organization that offers it."""
    kind: str
    """What kind of organization offers it, such as `nonprofit` or `public`."""
    topics: list[str]
    """Codes of its topics; `topics` of the list has their labels."""
    what: str
    """What it offers, in one or two sentences."""
    insured_only: bool
    """Whether it helps only patients who have insurance."""
    asked_by: str
    """Who asks for the help: `patient` or `care_team`."""
    url: str
    """The address of its page."""
    phone: str
    """Its phone number with country code, for a link."""
    phone_as_printed: str
    """Its phone number as the organization prints it."""
    hours: str | None
    """When someone answers; null if it is not stated."""
    languages: list[str]
    """Codes of the languages in which it helps."""
    last_checked: str
    """The day on which the facts were last checked (YYYY-MM-DD)."""
    review_by: str
    """The day by which the facts are to be checked again (YYYY-MM-DD)."""
    may_be_out_of_date: bool
    """Whether the review date has passed, so that the facts can be out of date."""
    confirm: str | None
    """What to ask before relying on it; null if nothing."""
    sources: list[ResourceSourceResponse]
    """Where its facts were read."""


class ResourceListResponse(TypedDict):
    """The resources that match, with the labels of topics and languages."""

    items: list[ResourceResponse]
    """The items of this page, in the order of the list."""
    topics: dict[str, str]
    """The label of each topic, by its code."""
    languages: dict[str, str]
    """The name of each language, by its code."""
    reviewed_on: str
    """The day on which the whole list was last reviewed (YYYY-MM-DD)."""


class DiagnosisCodeResponse(TypedDict):
    """A billable ICD-10-CM code."""

    code: str
    """The ICD-10-CM code, such as `C83.398`."""
    description: str
    """The official description of the code."""
    diseases: list[str]
    """The diseases of the catalog to which the code can belong."""


class HistologyResponse(TypedDict):
    """A histology of a disease: its code and name."""

    disease: str
    """The disease, as a code of the catalog such as `LBCL`."""
    code: str
    """The code of the histology, for `histology` of a referral."""
    name: str
    """The name of the histology."""


class DiagnosisCodeListResponse(TypedDict):
    """The codes to choose from, their release, and the histologies of each disease.

    Once the release has ended, a newer one can have other codes.
    """

    release: dict[str, str]
    """The release of ICD-10-CM: its name, the day it took effect, the day of the next one, and its source."""
    review_by: str
    """The day by which the facts are to be checked again (YYYY-MM-DD)."""
    may_be_out_of_date: bool
    """Whether the review date has passed, so that the facts can be out of date."""
    items: list[DiagnosisCodeResponse]
    """The items of this page, in the order of the list."""
    histologies: list[HistologyResponse]
    """The histologies of all diseases in the list."""


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
