"""The request body of an eligibility check."""

from typing import Annotated

from pydantic import Field

from chalicelib.routes.platform.fields import CalendarDate, StrictModel
from chalicelib.routes.referrals.request_bodies import Clinical


class ScreenRequest(StrictModel):
    """What an eligibility check reads; `clinical` is the same as in a referral. Nothing is stored."""

    age: Annotated[int, Field(ge=0, le=130)] | None = None
    """The age of the patient, in years."""
    clinical: Clinical
    """Disease and treatment so far, as in a referral."""
    planned_collection_on: CalendarDate | None = None
    """The planned day of leukapheresis (YYYY-MM-DD)."""
