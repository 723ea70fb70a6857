"""The notification settings of the signed-in member."""

from datetime import time
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from chalicelib import wiring
from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.mail_timing import OPTIONAL_CATEGORIES, MailTiming, Preferences, QuietHours
from chalicelib.errors import PreconditionFailedError
from chalicelib.routes.notices.responses import PreferencesResponse, to_preferences_response
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.fields import StrictModel, WallTime, build_pattern_validator
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.notices.notify import get_member_zone
from chalicelib.services.notices.weekly_digest import save_preferences

PREFERENCES_PATH = "/v1/me/notification-preferences"


def _require_known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as e:
        raise ValueError("Choose a time zone from the list.") from e
    return name


TimeZoneName = Annotated[
    str,
    Field(max_length=64),
    AfterValidator(build_pattern_validator(r"[A-Za-z]+(/[A-Za-z0-9_+-]+)+|UTC", "Choose a time zone from the list.")),
    AfterValidator(_require_known_zone),
]


class CategoriesRequest(StrictModel):
    """When the notices of each category are emailed; the dashboard always shows them at once."""

    journey: MailTiming
    """Notices about the status of a referral."""
    window: MailTiming
    """Notices about the monitoring window."""
    overdue: MailTiming
    """Notices that a status is overdue."""
    follow_up: MailTiming
    """Notices about the follow-up after the return."""
    digest: MailTiming
    """The weekly digest."""
    check_in: MailTiming
    """Questions whether a status is still right."""


class QuietHoursRequest(StrictModel):
    """The hours in which no email is sent, except critical ones."""

    begins: Annotated[WallTime, Field(alias="from")]
    """The time of day at which the quiet hours begin, as `HH:MM`."""
    ends: Annotated[WallTime, Field(alias="to")]
    """The time of day at which the quiet hours end, as `HH:MM`."""

    @model_validator(mode="after")
    def _not_empty(self) -> "QuietHoursRequest":
        if self.begins == self.ends:
            raise ValueError("Quiet hours must start and end at different times.")
        return self


class PreferencesRequest(StrictModel):
    """All of a member's settings. Without a time zone, the organization's own applies."""

    categories: CategoriesRequest
    """When the notices of each category are emailed: `at_once`, `daily` or `never`."""
    digest_hour: Annotated[int, Field(ge=0, le=23)]
    """The hour of the daily email, 0 to 23, in the member's time zone."""
    quiet_hours: QuietHoursRequest | None
    """The hours without email; none if they are left out."""
    time_zone: TimeZoneName | None
    """The member's time zone, as an IANA name; the organization's if it is left out."""


@declare_endpoint("GET", PREFERENCES_PATH)
def read_preferences(request: ApiRequest) -> ApiResponse[PreferencesResponse]:
    """Get your notification settings."""
    return _build_response(request.member, wiring.get_stores().recipients.get_preferences(request.member.member_id))


@declare_endpoint("PUT", PREFERENCES_PATH, needs_if_match=True)
def change_preferences(request: ApiRequest, body: PreferencesRequest) -> ApiResponse[PreferencesResponse]:
    """Update your notification settings; critical notices are always emailed right away."""
    saved = save_preferences(request.member, _to_preferences(body), version=request.version, context=request.context)
    if saved is None:
        raise PreconditionFailedError
    return _build_response(request.member, saved)


def _to_preferences(body: PreferencesRequest) -> Preferences:
    quiet = body.quiet_hours
    return Preferences(
        time_zone=body.time_zone or "",
        timings={category: getattr(body.categories, category) for category in OPTIONAL_CATEGORIES},
        digest_hour=body.digest_hour,
        quiet_hours=QuietHours(time.fromisoformat(quiet.begins), time.fromisoformat(quiet.ends)) if quiet else None,
    )


def _build_response(member: Member, preferences: Preferences) -> ApiResponse[PreferencesResponse]:
    zone = get_member_zone(member, preferences, stores=wiring.get_stores())
    return ApiResponse(
        body=to_preferences_response(preferences, time_zone=zone), headers={"ETag": f'"{preferences.version}"'}
    )
