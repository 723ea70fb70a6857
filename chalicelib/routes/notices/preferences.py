"""How the signed-in member wants to be mailed."""

from datetime import time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from chalice import Blueprint
from pydantic import AfterValidator, Field, model_validator

from chalicelib import wiring
from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.mail_timing import OPTIONAL, Preferences, QuietHours, Timing
from chalicelib.errors import StaleError
from chalicelib.routes.notices.response_schemas import PreferencesShape
from chalicelib.routes.platform.endpoint import Reply, endpoint
from chalicelib.routes.platform.fields import Body, matching
from chalicelib.routes.platform.request import Call
from chalicelib.services.notices.notify import zone_of
from chalicelib.services.notices.weekly_digest import choose

blueprint = Blueprint(__name__)

PATH = "/v1/me/notification-preferences"

_CLOCK = "%H:%M"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as e:
        raise ValueError("is not a time zone as America/New_York") from e
    return name


Clock = Annotated[
    str, AfterValidator(matching(r"([01]\d|2[0-3]):[0-5]\d", "must be a time of day as 07:30"))
]
Zone = Annotated[
    str,
    Field(max_length=64),
    AfterValidator(matching(r"[A-Za-z]+(/[A-Za-z0-9_+-]+)+|UTC", "must be a time zone")),
    AfterValidator(_known_zone),
]


class CategoriesBody(Body):
    """When the notices of each category are mailed; in the dashboard they are at once."""

    journey: Timing
    window: Timing
    overdue: Timing
    follow_up: Timing
    digest: Timing
    check_in: Timing


class QuietHoursBody(Body):
    """From when to when no mail comes, but for critical ones."""

    begins: Annotated[Clock, Field(alias="from")]
    ends: Annotated[Clock, Field(alias="to")]

    @model_validator(mode="after")
    def _not_empty(self) -> "QuietHoursBody":
        if self.begins == self.ends:
            raise ValueError("from and to must differ")
        return self


class PreferencesBody(Body):
    """All of a member's preferences. Without a time zone it is that of the organisation."""

    categories: CategoriesBody
    digest_hour: Annotated[int, Field(ge=0, le=23)]
    quiet_hours: QuietHoursBody | None
    time_zone: Zone | None


@endpoint(blueprint, "GET", PATH, returns=PreferencesShape)
def read_preferences(call: Call) -> Reply:
    """Read how one wants to be mailed."""
    return _told(call.member, wiring.stores().recipients.preferences(call.member.member_id))


@endpoint(blueprint, "PUT", PATH, returns=PreferencesShape, matched=True)
def change_preferences(call: Call, body: PreferencesBody) -> Reply:
    """Choose how to be mailed. What is critical is mailed at once, whatever is chosen here."""
    saved = choose(
        call.member, _chosen(body), version=call.version, stores=wiring.stores(), now=call.now
    )
    if saved is None:
        raise StaleError
    return _told(call.member, saved)


def _chosen(body: PreferencesBody) -> Preferences:
    quiet = body.quiet_hours
    return Preferences(
        time_zone=body.time_zone or "",
        timings={category: getattr(body.categories, category) for category in OPTIONAL},
        digest_hour=body.digest_hour,
        quiet_hours=QuietHours(time.fromisoformat(quiet.begins), time.fromisoformat(quiet.ends))
        if quiet
        else None,
    )


def _told(member: Member, chosen: Preferences) -> Reply:
    quiet = chosen.quiet_hours
    body: dict[str, Any] = {
        "categories": {category: chosen.timing(category) for category in OPTIONAL},
        "digest_hour": chosen.digest_hour,
        "quiet_hours": {
            "from": quiet.begins.strftime(_CLOCK),
            "to": quiet.ends.strftime(_CLOCK),
        }
        if quiet
        else None,
        "time_zone": zone_of(member, chosen, stores=wiring.stores()),
        "version": chosen.version,
    }
    return Reply(body=body, headers={"ETag": f'"{chosen.version}"'})
