"""What a request's parameters may say."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from chalicelib.catalogue.resources import LANGUAGES, TOPICS
from chalicelib.domain.stages import Phase, Stage
from chalicelib.domain.worklists import Worklist
from chalicelib.routes.fields import Body, Disease, Identifier, Instant, clean, one_of


def _whole(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}", value, re.ASCII):
        return int(value)
    raise ValueError("must be a whole number")


def _truth(value: Any) -> Any:
    truths = {"true": True, "false": False}
    if value not in truths:
        raise ValueError("must be true or false")
    return truths[value]


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
    q: Annotated[str, Field(max_length=100), AfterValidator(clean(lines=False))] | None = None
    updated_since: Instant | None = None
    sort: Literal["-updated_at"] = "-updated_at"


class CenterQuery(PageQuery):
    """Which centers of the directory."""

    product: Identifier | None = None
    disease: Disease | None = None
    q: Annotated[str, Field(max_length=100), AfterValidator(clean(lines=False))] | None = None


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
    q: Annotated[str, Field(max_length=100), AfterValidator(clean(lines=False))] | None = None


class DiagnosisQuery(Body):
    """Of which disease the codes are wanted."""

    disease: Disease | None = None
