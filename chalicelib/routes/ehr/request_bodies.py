"""What a health record sends with a hook, and afterwards as feedback (CDS Hooks 2.0).

Unlike our own bodies these are open: the standard lets every system add what it wants to.
"""

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class TolerantBody(BaseModel):
    """The base: what we do not know is let go of, and what we do know is never shown."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, defer_build=True, frozen=True)


class HookContext(TolerantBody):
    """What the user of the record is looking at."""

    patient_id: Annotated[str, Field(alias="patientId", min_length=1, max_length=200)]
    draft_orders: Annotated[dict[str, Any] | None, Field(alias="draftOrders")] = None


class HookBody(TolerantBody):
    """A hook that fired.

    Where the record's own server is, and the token for it, we neither need nor read.
    """

    max_bytes: ClassVar[int] = 1024 * 1024
    """A long chart of orders and administrations; API Gateway would take ten times as much."""

    hook: str
    hook_instance: Annotated[UUID, Field(alias="hookInstance")]
    context: HookContext
    prefetch: dict[str, Any] | None = None


class CardFeedback(TolerantBody):
    """What became of a card. The user's own words are not among what is read."""

    card: Annotated[str, Field(max_length=100)]
    outcome: Literal["accepted", "overridden"]


class FeedbackBody(TolerantBody):
    """What became of some cards."""

    feedback: Annotated[list[CardFeedback], Field(max_length=100)]
