"""The shapes of answers about mail, for the OpenAPI document alone."""

# pydantic asks for this one on Python 3.11.
from typing_extensions import TypedDict


class MailProblemShape(TypedDict):
    """Why the member's address is not written to any more."""

    reason: str
    since: str


class MailLifeShape(TypedDict):
    """How far the mail of a notice got; `at` of one that waits is when it is to be sent.

    A notice of a category that its reader wants no mail of is `not_wanted`.
    """

    state: str
    at: str | None
    why: str | None


class ReaderShape(TypedDict):
    """Somebody of one's own organisation who was told."""

    member_id: str
    name: str | None
    told_at: str
    opened_at: str | None
    mail: MailLifeShape


class ReferralNoticeShape(TypedDict):
    """Something that is planned, was told or was left out.

    `due_on` is the day of a notice of the plan, or of a clock ahead, which is told of
    if nobody moves the referral before. What follows from an event has none.

    `why` says what it was skipped for, or would be if its day were today. `told` are the readers
    on one's own side; whom the other side told is not said.
    """

    rule: str
    title: str
    category: str
    due_on: str | None
    sides: list[str]
    state: str
    why: str | None
    told: list[ReaderShape]


class ReferralNoticePageShape(TypedDict):
    """A part of what is planned and told of a referral."""

    items: list[ReferralNoticeShape]
    next_cursor: str | None


class UnreadShape(TypedDict):
    """How many of the newest notices are unread now."""

    unread: int


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
