"""The routes as they were declared: for the API, its document, and the test that guards them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from chalicelib.routes.platform.fields import Body

CDS_SERVICES = "/cds-services"
"""Where CDS Hooks looks for services, below the product's own address."""


class Access(StrEnum):
    """Who may call a route at all. What the caller may see is decided in the service."""

    PUBLIC = "public"
    SIGNED = "signed"
    """A center's system, by its signature over the body."""
    EHR = "ehr"
    """A health record system of the allow-list, by a token of its own (CDS Hooks)."""
    TOPIC = "topic"
    """Amazon SNS, for our own topic, by its signature over the message."""
    HOLDER = "holder"
    """Whoever has a link out of a mail, by the sealed token in it."""
    MEMBER = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A route as it was declared."""

    method: str
    path: str
    name: str
    summary: str
    access: Access
    body: type[BaseModel] | None
    query: type[Body] | None
    returns: Any
    status: int
    keyed: bool
    matched: bool

    @property
    def shared(self) -> bool:
        """Whether pages of allow-listed health record systems may call it too (CORS)."""
        return self.path.startswith(CDS_SERVICES)


OPERATIONS: list[Operation] = []
