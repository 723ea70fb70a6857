"""What an EHR sends with a hook, and later as feedback (CDS Hooks 2.0).

Unlike our own request bodies, these are open: the standard lets every system add fields.
"""

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class TolerantModel(BaseModel):
    """The base: unknown fields are ignored, and no value appears in an error."""

    model_config = ConfigDict(
        extra="ignore",
        hide_input_in_errors=True,
        defer_build=True,
        frozen=True,
        json_schema_extra={"additionalProperties": True},
    )


class HookContext(TolerantModel):
    """What the user of the EHR is looking at."""

    patient_id: Annotated[str, Field(alias="patientId", min_length=1, max_length=200)]
    """The FHIR ID of the patient in the EHR."""
    draft_orders: Annotated[dict[str, Any] | None, Field(alias="draftOrders")] = None
    """The orders that the user is writing, as a FHIR Bundle."""


class HookRequest(TolerantModel):
    """A hook that fired.

    We neither need nor read the address of the EHR's own server, or the token for it.
    """

    max_bytes: ClassVar[int] = 1024 * 1024
    """Enough for a long chart of orders and administrations; API Gateway would accept ten times as
    much."""

    hook: str
    """The hook that fired, such as `patient-view`."""
    hook_instance: Annotated[UUID, Field(alias="hookInstance")]
    """The EHR's own ID of this call."""
    context: HookContext
    """What the user is looking at."""
    prefetch: dict[str, Any] | None = None
    """The FHIR resources that the service asked for, by their keys."""


class CardFeedback(TolerantModel):
    """Whether the user accepted or overrode a card. The user's own words are not read."""

    card: Annotated[str, Field(max_length=100)]
    """The `uuid` of the card."""
    outcome: Literal["accepted", "overridden"]
    """Whether the user accepted or overrode the card."""


class FeedbackRequest(TolerantModel):
    """Feedback on some cards."""

    feedback: Annotated[list[CardFeedback], Field(max_length=100)]
    """What the user did with each card."""
