"""The declared routes: for the API, its OpenAPI document, and the test that guards them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from chalicelib.metrics import RouteFamily
from chalicelib.routes.platform.fields import StrictModel

CDS_SERVICES = "/cds-services"
"""Where CDS Hooks looks for services, below the product's own address."""

MEMBERSHIP_HEADER = "X-Membership"
"""The header that names the membership that a request uses, for a person who has several."""

PDF_TYPE = "application/pdf"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BINARY_TYPES = (PDF_TYPE, XLSX_TYPE)
"""The media types that are sent as bytes. API Gateway has to know them too, see `app.py`."""


class EarlyRead(StrEnum):
    """What is read while the member is checked, and decrypted only after that.

    Of the referral in the path, the value is the method of the store of referrals that reads it.
    """

    OWN = "own"
    """What a person's own page shows, for the membership that the person used last."""
    REFERRAL = "read_item"
    """For `get_visible_or_404`."""
    DECISION = "read_with_parked"
    """For an event that a person reports."""


class RouteAccess(StrEnum):
    """Who may call a route at all. The service decides what the caller can see."""

    PUBLIC = "public"
    WEBHOOK_SIGNATURE = "signed"
    """A center's system, by its signature over the body."""
    CDS_CALLER = "ehr"
    """An EHR on the allow list, by its own token (CDS Hooks)."""
    SNS_SIGNATURE = "topic"
    """Amazon SNS, for our own topic, by its signature over the message."""
    LINK_HOLDER = "holder"
    """Anyone who has a link from an email, by the encrypted token in it."""
    PERSON = "person"
    """Anyone with an access token, whether or not the person is a member of an organization."""
    MEMBER = "member"


_NOT_FOR_PEOPLE = frozenset(
    {RouteAccess.WEBHOOK_SIGNATURE, RouteAccess.CDS_CALLER, RouteAccess.SNS_SIGNATURE, RouteAccess.LINK_HOLDER}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOperation:
    """A declared route.

    Attributes:
        summary: The first line of the view's docstring.
        description: The paragraphs below it, in Markdown; empty if there are none.
        response_type: The type of the response's JSON body; None if it has no body, or is text or a file.
        file_type: The media type of the file that is the response, one of `BINARY_TYPES`; None for other responses.
        early_read: What is read while the member is checked; None for nothing.
        family: Its requests are counted with those of the routes of the same family.
        view: The function that handles its requests.
    """

    method: str
    path: str
    name: str
    summary: str
    description: str
    access: RouteAccess
    body: type[BaseModel] | None
    query: type[StrictModel] | None
    response_type: Any
    status: int
    needs_idempotency_key: bool
    needs_if_match: bool
    file_type: str | None = None
    early_read: EarlyRead | None = None
    family: RouteFamily = RouteFamily.OTHER
    view: Callable[..., Any]

    @property
    def place(self) -> str:
        """The full name of the view."""
        return f"{self.view.__module__}.{self.name}"

    @property
    def is_sign_in(self) -> bool:
        """Whether it signs people in, or renews what they signed in with."""
        return self.method == "POST" and self.path.startswith("/v1/sessions")

    @property
    def allows_cors(self) -> bool:
        """Whether pages of EHRs on the allow list can call it too (CORS)."""
        return self.path.startswith(CDS_SERVICES)

    @property
    def allows_apps(self) -> bool:
        """Whether pages of configured apps can call it too (CORS): what a person can call, signed in or not."""
        by_a_person = self.access not in _NOT_FOR_PEOPLE
        return self.path.startswith("/v1/") and by_a_person


_DECLARED: dict[tuple[str, str], RouteOperation] = {}


def add_declared(operation: RouteOperation) -> None:
    """Remember a declared route. A module that is imported again, after its import failed, declares it again.

    Raises:
        ValueError: another view has the same method and path.
    """
    key = (operation.method, operation.path)
    other = _DECLARED.get(key)
    if other is not None and other.place != operation.place:
        raise ValueError(f"{' '.join(key)} is declared twice: {other.place}, {operation.place}")
    _DECLARED[key] = operation


def get_declared(method: str, path: str) -> RouteOperation:
    """Get a route whose module was imported."""
    return _DECLARED[method, path]


def list_declared() -> list[RouteOperation]:
    """List the routes whose modules were imported."""
    return list(_DECLARED.values())
