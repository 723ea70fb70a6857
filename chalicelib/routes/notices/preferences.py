"""How the signed-in member wants to be mailed."""

from datetime import time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from chalice import Blueprint
from pydantic import AfterValidator, Field, model_validator

from chalicelib import wiring
from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.mail_timing import OPTIONAL_CATEGORIES, MailTiming, Preferences, QuietHours
from chalicelib.errors import PreconditionFailedError
from chalicelib.routes.notices.response_schemas import PreferencesShape
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.fields import StrictModel, build_pattern_validator
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.notices.notify import get_member_zone
from chalicelib.services.notices.weekly_digest import save_preferences

blueprint = Blueprint(__name__)

PREFERENCES_PATH = "/v1/me/notification-preferences"

_TIME_FORMAT = "%H:%M"


def _require_known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as e:
        raise ValueError("is not a time zone as America/New_York") from e
    return name


WallTime = Annotated[
    str, AfterValidator(build_pattern_validator(r"([01]\d|2[0-3]):[0-5]\d", "must be a time of day as 07:30"))
]
TimeZoneName = Annotated[
    str,
    Field(max_length=64),
    AfterValidator(build_pattern_validator(r"[A-Za-z]+(/[A-Za-z0-9_+-]+)+|UTC", "must be a time zone")),
    AfterValidator(_require_known_zone),
]


class CategoriesBody(StrictModel):
    """When the notices of each category are mailed; in the dashboard they are at once."""

    journey: MailTiming
    window: MailTiming
    overdue: MailTiming
    follow_up: MailTiming
    digest: MailTiming
    check_in: MailTiming


class QuietHoursBody(StrictModel):
    """From when to when no mail comes, but for critical ones."""

    begins: Annotated[WallTime, Field(alias="from")]
    ends: Annotated[WallTime, Field(alias="to")]

    @model_validator(mode="after")
    def _not_empty(self) -> "QuietHoursBody":
        if self.begins == self.ends:
            raise ValueError("from and to must differ")
        return self


class PreferencesBody(StrictModel):
    """All of a member's preferences. Without a time zone it is that of the organisation."""

    categories: CategoriesBody
    digest_hour: Annotated[int, Field(ge=0, le=23)]
    quiet_hours: QuietHoursBody | None
    time_zone: TimeZoneName | None


@declare_endpoint(blueprint, "GET", PREFERENCES_PATH, response_schema=PreferencesShape)
def read_preferences(request: ApiRequest) -> ApiResponse:
    """Read how one wants to be mailed."""
    return _to_preferences_response(
        request.member, wiring.get_stores().recipients.get_preferences(request.member.member_id)
    )


@declare_endpoint(blueprint, "PUT", PREFERENCES_PATH, response_schema=PreferencesShape, needs_if_match=True)
def change_preferences(request: ApiRequest, body: PreferencesBody) -> ApiResponse:
    """Choose how to be mailed. What is critical is mailed at once, whatever is chosen here."""
    saved = save_preferences(request.member, _to_preferences(body), version=request.version, context=request.context)
    if saved is None:
        raise PreconditionFailedError
    return _to_preferences_response(request.member, saved)


def _to_preferences(body: PreferencesBody) -> Preferences:
    quiet = body.quiet_hours
    return Preferences(
        time_zone=body.time_zone or "",
        timings={category: getattr(body.categories, category) for category in OPTIONAL_CATEGORIES},
        digest_hour=body.digest_hour,
        quiet_hours=QuietHours(time.fromisoformat(quiet.begins), time.fromisoformat(quiet.ends)) if quiet else None,
    )


def _to_preferences_response(member: Member, preferences: Preferences) -> ApiResponse:
    quiet = preferences.quiet_hours
    body: dict[str, Any] = {
        "categories": {category: preferences.get_timing(category) for category in OPTIONAL_CATEGORIES},
        "digest_hour": preferences.digest_hour,
        "quiet_hours": {"from": quiet.begins.strftime(_TIME_FORMAT), "to": quiet.ends.strftime(_TIME_FORMAT)}
        if quiet
        else None,
        "time_zone": get_member_zone(member, preferences, stores=wiring.get_stores()),
        "version": preferences.version,
    }
    return ApiResponse(body=body, headers={"ETag": f'"{preferences.version}"'})
