"""The routes as they were declared: for the API, its document, and the test that guards them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from chalicelib.routes.platform.fields import StrictModel

CDS_SERVICES = "/cds-services"
"""Where CDS Hooks looks for services, below the product's own address."""


class RouteAccess(StrEnum):
    """Who may call a route at all. What the caller may see is decided in the service."""

    PUBLIC = "public"
    WEBHOOK_SIGNATURE = "signed"
    """A center's system, by its signature over the body."""
    CDS_CALLER = "ehr"
    """A health record system of the allow-list, by a token of its own (CDS Hooks)."""
    SNS_SIGNATURE = "topic"
    """Amazon SNS, for our own topic, by its signature over the message."""
    LINK_HOLDER = "holder"
    """Anyone who has a link from an email, by the encrypted token in it."""
    MEMBER = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOperation:
    """A route as it was declared."""

    method: str
    path: str
    name: str
    summary: str
    access: RouteAccess
    body: type[BaseModel] | None
    query: type[StrictModel] | None
    response_schema: Any
    status: int
    needs_idempotency_key: bool
    needs_if_match: bool

    @property
    def allows_cors(self) -> bool:
        """Whether pages of allow-listed health record systems may call it too (CORS)."""
        return self.path.startswith(CDS_SERVICES)


OPERATIONS: list[RouteOperation] = []
