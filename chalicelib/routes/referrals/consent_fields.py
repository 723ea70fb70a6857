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
    basis: ConsentBasis | None = None
    on: PastDate | None = None
    scope: ConsentScope | None = None
    expires_on: CalendarDate | None = None
    confirmed: bool = False


class ConsentChange(ConsentToShare):
    """A consent that was corrected, or that the patient withdrew."""

    withdrawn_on: PastDate | None = None


class NoneBecause(StrictModel):
    """Why a required item has no value. `item` is the item's place in this body."""

    item: NoneItem
    reason: SingleLineText


class CenterContact(StrictModel):
    """The center's coordinator for this patient. Only the center sends it."""

    coordinator: SingleLineText | None = None
    phone: Phone | None = None
    email: Email | None = None


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
