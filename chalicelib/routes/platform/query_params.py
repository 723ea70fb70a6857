"""The query parameters of the routes that list and search."""

import re
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from chalicelib.catalog.resources import LANGUAGES, TOPICS
from chalicelib.domain.coverage.display import CoverageState
from chalicelib.domain.referrals.stages import Phase, Stage
from chalicelib.domain.referrals.worklists import Worklist
from chalicelib.routes.platform.fields import (
    Disease,
    Identifier,
    MemberId,
    Npi,
    ReferralId,
    StrictModel,
    Timestamp,
    build_choice_validator,
    build_pattern_validator,
    build_text_validator,
)
from chalicelib.services.referrals.list_filters import NextDate
from chalicelib.store.webhooks.delivery_log import DeliveryStatus

MAX_MILES = 5000
"""The widest search. From Honolulu to Boston is 5,090 miles; a caller who wants all centers sends no
limit."""


def _parse_whole_number(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}", value, re.ASCII):
        return int(value)
    raise ValueError("Enter a whole number.")


def _parse_miles(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value, re.ASCII):
        return int(value)
    raise ValueError("Enter a whole number of miles.")


def _parse_boolean(value: Any) -> Any:
    if isinstance(value, bool):  # In a body, it is a boolean of JSON.
        return value
    values = {"true": True, "false": False}
    if not isinstance(value, str) or value not in values:
        raise ValueError("Use true or false.")
    return values[value]


def _list_values(value: Any) -> Any:
    """A value that is sent alone is a list of one."""
    return value if isinstance(value, list) else [value]


def _drop_repeated(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _write_values(values: list[Any]) -> Any:
    """Write one value as it is, so that cursors and saved views with one value are as before."""
    return values[0] if len(values) == 1 else values


class _OneOrSeveral:
    """Describes a field that takes one value or a list."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """Build its JSON schema."""
        several = handler(schema)
        return {"anyOf": [several["items"], several]}


MAX_VALUES = 50
"""How many values a filter takes: more than there are statuses. DynamoDB compares with up to 100."""

_Value = TypeVar("_Value")
# One value in a query, or the parameter several times; one value in a body, or a list.
OneOrSeveral: TypeAlias = Annotated[
    list[_Value],
    Field(min_length=1, max_length=MAX_VALUES),
    BeforeValidator(_list_values),
    AfterValidator(_drop_repeated),
    PlainSerializer(_write_values),
    _OneOrSeveral(),
]

SearchWords = Annotated[str, Field(max_length=100), AfterValidator(build_text_validator(lines=False))]
NearZip = Annotated[
    str, AfterValidator(build_pattern_validator(r"\d{5}(-\d{4})?", "Enter a US ZIP code, such as 77030 or 77030-1234."))
]


# fmt: off
ReferralColumnSort = Literal[
    "worst_first", "due", "-due", "patient", "-patient", "next_action", "-next_action", "next_date", "-next_date",
    "stage", "-stage", "coverage", "-coverage", "product", "-product", "center", "-center", "practice", "-practice",
]
# fmt: on
ReferralSort = Literal["-updated_at", ReferralColumnSort]


class PageQuery(StrictModel):
    """Which page of a list."""

    limit: Annotated[int, Field(ge=1, le=100), BeforeValidator(_parse_whole_number)] = 25
    """How many items a page has at most."""
    cursor: Annotated[str, Field(max_length=2048, json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"})] | None = None
    """The `next_cursor` of the page before, at most 24 hours old. Send it with the same filters."""


class SecondStepQuery(PageQuery):
    """Which page of the members and their second steps. Each of them is one request to the identity service."""

    limit: Annotated[int, Field(ge=1, le=25), BeforeValidator(_parse_whole_number)] = 25
    """How many items a page has at most."""


class AuditQuery(PageQuery):
    """Which entries of the audit trail of one's own organization, and which page of them."""

    actor_id: MemberId | None = None
    """Only what this member of your organization did, by the member's ID."""


class DeliveryQuery(PageQuery):
    """Which deliveries of a center's log, and which page of them. All filters that are sent must match."""

    status: DeliveryStatus | None = None
    """Only deliveries with this result."""
    referral_id: ReferralId | None = None
    """Only deliveries for this referral, by its ID."""


class ReferralConditions(StrictModel):
    """Which referrals of the caller's organization, without what can be about one patient."""

    repeatable: ClassVar[frozenset[str]] = frozenset(
        {"stage", "center_id", "practice_id", "product_id", "provider_npi", "urgency", "coverage", "next_date"}
    )

    stage: OneOrSeveral[Stage] | None = None
    """Only referrals with this status, or with one of several."""
    phase: Phase | None = None
    """Only referrals in this phase."""
    worklist: Worklist | None = None
    """Only referrals of this worklist."""
    late: Annotated[bool, BeforeValidator(_parse_boolean)] | None = None
    """true for referrals that are overdue, false for all others."""
    center_id: OneOrSeveral[Identifier] | None = None
    """Only referrals to this treatment center, or to one of several."""
    practice_id: OneOrSeveral[Identifier] | None = None
    """Only referrals from this practice, or from one of several."""
    product_id: OneOrSeveral[Identifier] | None = None
    """Only referrals with this product, or one of several, by its ID; `none` for those without a product."""
    provider_npi: OneOrSeveral[Npi] | None = None
    """Only referrals of the referring provider with this NPI, or with one of several."""
    urgency: OneOrSeveral[Literal["routine", "urgent"]] | None = None
    """Only referrals with this urgency."""
    coverage: OneOrSeveral[CoverageState] | None = None
    """Only referrals with this state of coverage, or with one of several."""
    next_date: OneOrSeveral[NextDate] | None = None
    """Only referrals whose next planned date is this near, or not set; with several, those with one of them."""


class ReferralFilterQuery(ReferralConditions):
    """Which referrals of the caller's organization. All filters that are sent must match."""

    q: SearchWords | None = None
    """The start of a name or alias, a record number, a date of birth, or a phone number."""
    updated_since: Timestamp | None = None
    """Only referrals that changed at or after this time, with an offset (RFC 3339)."""


class ReferralQuery(PageQuery, ReferralFilterQuery):
    """Which referrals of the caller's organization, in which order, and which page of them."""

    sort: ReferralSort = "-updated_at"
    """How the list is sorted: last changed first, the worst first, or by one column; `-` turns the order around."""
    page: Annotated[int, Field(ge=1, le=999), BeforeValidator(_parse_whole_number)] | None = None
    """The number of the page, from 1. Not with `cursor`, and not with the order `-updated_at`."""


class ReferralExportQuery(ReferralFilterQuery):
    """Which referrals of the caller's organization to export, and in which order."""

    sort: ReferralColumnSort = "worst_first"
    """How the rows are sorted: the worst first, or by one column; `-` turns the order around."""


class CenterQuery(PageQuery):
    """Which centers of the directory.

    `near` is a ZIP code; miles are straight lines from its center. `payer` and `q` are parts of
    names. Sorted by distance if `near` is given, otherwise by name.
    """

    near: NearZip | None = None
    """A ZIP code or ZIP+4. Distances are counted from its center."""
    within_miles: Annotated[int, Field(ge=1, le=MAX_MILES), BeforeValidator(_parse_miles)] | None = None
    """Only centers within this many straight-line miles of `near`."""
    product: Identifier | None = None
    """Only centers that are authorized for this product."""
    disease: Disease | None = None
    """Only centers with a product for this disease."""
    age_group: Literal["adult", "pediatric"] | None = None
    """Only centers that treat this age group."""
    accepting: Annotated[bool, BeforeValidator(_parse_boolean)] | None = None
    """true for centers that take new patients, false for the others."""
    payer: SearchWords | None = None
    """Only centers in a payer network whose name has these words."""
    q: SearchWords | None = None
    """Only centers whose name has these words."""
    sort: Literal["distance", "name"] | None = None
    """By distance, which needs `near`, or by name. By distance if `near` is sent."""


class ResourceQuery(StrictModel):
    """Which national resources."""

    topic: (
        Annotated[
            str,
            AfterValidator(build_choice_validator(TOPICS, "Choose a topic from the list.")),
            Field(json_schema_extra={"enum": list(TOPICS)}),
        ]
        | None
    ) = None
    """Only resources with this topic."""
    language: (
        Annotated[
            str,
            AfterValidator(build_choice_validator(LANGUAGES, "Choose a language from the list.")),
            Field(json_schema_extra={"enum": list(LANGUAGES)}),
        ]
        | None
    ) = None
    """Only resources that help in this language."""
    q: SearchWords | None = None
    """Only resources with these words."""


class DiagnosisQuery(StrictModel):
    """Which disease the codes are for; without it, all."""

    disease: Disease | None = None
    """Only codes of this disease."""
