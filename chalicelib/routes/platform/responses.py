"""Response types that belong to no capability, or to several.

A view builds one of these types as a plain dict. mypy checks each key, OpenAPI publishes the type,
and `infra.web_types` writes it for the browser. Nothing is validated at run time, so the types cost
a request nothing; a test compares the responses of every route with the published document.
"""

from typing import NotRequired

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict


class FieldErrorResponse(TypedDict):
    """One error in a request. `pointer` says where it is (RFC 6901)."""

    pointer: str
    """Where the error is: a JSON pointer into the body, or the name of a header or parameter."""
    code: str
    """A stable code for programs."""
    message: str
    """What to do, in plain words."""


class ProblemResponse(TypedDict):
    """A refusal, as RFC 9457 defines it."""

    type: str
    """A web address that explains the code."""
    title: str
    """What happened, in a few words."""
    status: int
    """The HTTP status."""
    detail: str
    """What to do, in plain words."""
    code: str
    """The reason as a stable code; `x-problem-codes` explains each."""
    request_id: str
    """The ID of the request. Quote it when you ask for help."""
    errors: list[FieldErrorResponse]
    """The errors in the request, one for each field."""


class TenantResponse(TypedDict):
    """An organization."""

    tenant_id: str
    """The ID of the organization."""
    name: str | None
    """The name of the organization; null if it is not known."""
    kind: NotRequired[str]
    """`practice` or `center`."""
    time_zone: NotRequired[str]
    """The organization's time zone, as an IANA name."""


class HealthResponse(TypedDict):
    """The service runs, and which revision it is."""

    status: str
    """Always `ok`."""
    version: str
    """The version of the product."""
    commit: str | None
    """The revision of the code; null if it is not known."""


class ReadinessResponse(TypedDict):
    """Which dependencies respond."""

    ready: bool
    """Whether all dependencies respond."""
    dependencies: dict[str, bool]
    """Whether each dependency responds, by its name."""
