"""Fields of a referral's request body: consent to share, answers "none, because", and the center's contact."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from chalicelib.domain.referrals.consent import ConsentBasis, ConsentScope
from chalicelib.domain.referrals.packet import NONE_ALLOWED
from chalicelib.routes.platform.fields import (
    CalendarDate,
    Email,
    PastDate,
    Phone,
    SingleLineText,
    StrictModel,
    build_choice_validator,
)

NoneItem = Annotated[
    str,
    AfterValidator(build_choice_validator(NONE_ALLOWED, "Choose an item from the list.")),
    Field(json_schema_extra={"enum": list(NONE_ALLOWED)}),
]


class ConsentToShare(StrictModel):
    """Why the referral may be shared with the center: the patient's consent, or another basis.

    `confirmed` says that someone checked that a consent older than a year still applies.
    """

    given: bool
    """Whether the patient agreed, or another basis applies."""
    basis: ConsentBasis | None = None
    """What the sharing rests on."""
    on: PastDate | None = None
    """The day of the consent (YYYY-MM-DD)."""
    scope: ConsentScope | None = None
    """What may be shared."""
    expires_on: CalendarDate | None = None
    """The last day of the consent (YYYY-MM-DD)."""
    confirmed: bool = False
    """Send true if someone checked that a consent older than a year still applies."""


class ConsentChange(ConsentToShare):
    """A consent that was corrected, or that the patient withdrew."""

    withdrawn_on: PastDate | None = None
    """The day on which the patient withdrew the consent (YYYY-MM-DD)."""


class NoneBecause(StrictModel):
    """Why a required item has no value. `item` is the item's place in this body."""

    item: NoneItem
    """The place of the item in this body, as a JSON pointer."""
    reason: SingleLineText
    """Why there is no value."""


class CenterContact(StrictModel):
    """The center's coordinator for this patient. Only the center sends it."""

    coordinator: SingleLineText | None = None
    """The name of the center's coordinator for this patient."""
    phone: Phone | None = None
    """The phone of the coordinator."""
    email: Email | None = None
    """The email address of the coordinator."""


PlanType = Literal[
    "commercial",
    "marketplace",
    "medicaid",
    "medicare_advantage",
    "medicare_ffs",
    "self_pay",
    "tricare",
    "uninsured",
    "va",
    "other",
]

AnswersNone = Annotated[list[NoneBecause], Field(max_length=len(NONE_ALLOWED))]
