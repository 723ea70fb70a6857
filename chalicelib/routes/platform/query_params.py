"""What a request's parameters may say."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from chalicelib.catalogue.resources import LANGUAGES, TOPICS
from chalicelib.domain.referrals.stages import Phase, Stage
from chalicelib.domain.referrals.worklists import Worklist
from chalicelib.routes.platform.fields import (
    Body,
    Disease,
    Identifier,
    Instant,
    clean,
    matching,
    one_of,
)

MOST_MILES = 5000
"""The widest search. From Honolulu to Boston it is 5,090 miles; whoever wants all names none."""


def _whole(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}", value, re.ASCII):
        return int(value)
    raise ValueError("must be a whole number")


def _miles(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value, re.ASCII):
        return int(value)
    raise ValueError("must be whole miles")


def _truth(value: Any) -> Any:
    truths = {"true": True, "false": False}
    if value not in truths:
        raise ValueError("must be true or false")
    return truths[value]


Words = Annotated[str, Field(max_length=100), AfterValidator(clean(lines=False))]
NearZip = Annotated[
    str,
    AfterValidator(
        matching(r"\d{5}(-\d{4})?", "must be a US ZIP code, as 77030 or 77030-1234"),
    ),
]


class PageQuery(Body):
    """Which part of a list."""

    limit: Annotated[int, BeforeValidator(_whole), Field(ge=1, le=100)] = 25
    cursor: Annotated[str, Field(max_length=2048)] | None = None


class ReferralQuery(PageQuery):
    """Which referrals of the caller's own tenant."""

    stage: Stage | None = None
    phase: Phase | None = None
    worklist: Worklist | None = None
    late: Annotated[bool, BeforeValidator(_truth)] | None = None
    center_id: Identifier | None = None
    q: Words | None = None
    updated_since: Instant | None = None
    sort: Literal["-updated_at"] = "-updated_at"


class CenterQuery(PageQuery):
    """Which centers of the directory.

    `near` is a ZIP code; miles are straight lines from its middle. `payer` and `q` are parts of
    names. Sorted by distance where `near` is given, else by name.
    """

    near: NearZip | None = None
    within_miles: Annotated[int, BeforeValidator(_miles), Field(ge=1, le=MOST_MILES)] | None = None
    product: Identifier | None = None
    disease: Disease | None = None
    age_group: Literal["adult", "pediatric"] | None = None
    accepting: Annotated[bool, BeforeValidator(_truth)] | None = None
    payer: Words | None = None
    q: Words | None = None
    sort: Literal["distance", "name"] | None = None


class ResourceQuery(Body):
    """Which of the national resources."""

    topic: (
        Annotated[
            str,
            AfterValidator(one_of(TOPICS, "is not a topic of the resources")),
            Field(json_schema_extra={"enum": list(TOPICS)}),
        ]
        | None
    ) = None
    language: (
        Annotated[
            str,
            AfterValidator(one_of(LANGUAGES, "is not a language of the resources")),
            Field(json_schema_extra={"enum": list(LANGUAGES)}),
        ]
        | None
    ) = None
    q: Words | None = None


class DiagnosisQuery(Body):
    """Of which disease the codes are wanted."""

    disease: Disease | None = None
