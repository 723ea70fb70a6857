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
    code: str
    message: str


class ProblemResponse(TypedDict):
    """A refusal, as RFC 9457 defines it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldErrorResponse]


class TenantResponse(TypedDict):
    """An organization."""

    tenant_id: str
    name: str | None
    kind: NotRequired[str]
    time_zone: NotRequired[str]


class HealthResponse(TypedDict):
    """The service runs, and which revision it is."""

    status: str
    version: str
    commit: str | None


class ReadinessResponse(TypedDict):
    """Which dependencies respond."""

    ready: bool
    dependencies: dict[str, bool]
