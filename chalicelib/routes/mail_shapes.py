"""The shapes of answers about mail, for the OpenAPI document alone."""

# pydantic asks for this one on Python 3.11.
from typing_extensions import TypedDict


class MailProblemShape(TypedDict):
    """Why the member's address is not written to any more."""

    reason: str
    since: str


class CategoriesShape(TypedDict):
    """When the notices of each category are mailed."""

    journey: str
    window: str
    overdue: str
    follow_up: str
    digest: str
    check_in: str


QuietHoursShape = TypedDict("QuietHoursShape", {"from": str, "to": str})
"""From when to when no mail comes."""


class PreferencesShape(TypedDict):
    """How a member wants to be mailed."""

    categories: CategoriesShape
    digest_hour: int
    quiet_hours: QuietHoursShape | None
    time_zone: str
    version: int
