"""Notices, their emails and their settings as the API returns them."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.notices.mail_timing import Preferences
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.notices.notice_history import HistoryPage, HistoryRow
from chalicelib.store.notices.mail_status import MailStatusEntry
from chalicelib.store.notices.notices import Notice, SentNotice

NOT_WANTED_STATE = "not_wanted"
"""The recipient turned off email for the notice's category."""

_TIME_FORMAT = "%H:%M"


class MailStatusResponse(TypedDict):
    """The status of a notice's email. For an email that is scheduled, `at` is when it will be sent.

    A notice of a category that its recipient turned off is `not_wanted`.
    """

    state: str
    """What happened to the email, such as `planned`, `sent`, `delivered`, `bounced` or `not_wanted`."""
    at: str | None
    """When the email was sent or will be (RFC 3339, UTC); null if it is not."""
    why: str | None
    """Why no email is sent; null if it is."""


class NoticeResponse(TypedDict):
    """A notice that the member received. `detail` is what a report about care says."""

    notice_id: str
    """The ID of the notice."""
    rule: str
    """The rule that caused the notice, as a code."""
    title: str
    """The title, for display."""
    detail: str | None
    """What a report about care says; null for other notices."""
    referral_id: str | None
    """The referral that it is about; null if it is about none."""
    alias: str | None
    """The alias of the patient; null if it is about no referral."""
    category: str
    """The category of the notice, which decides when it is emailed."""
    created_at: str
    """When it was created (RFC 3339, UTC)."""
    read_at: str | None
    """When the member read it (RFC 3339, UTC); null if unread."""
    mail: MailStatusResponse
    """What happened to its email."""


class NoticePageResponse(TypedDict):
    """A page of notices."""

    items: list[NoticeResponse]
    """The notices, newest first."""
    next_cursor: str | None
    """Send it as `cursor` to read the next page; null on the last page."""
    unread: int
    """How many are unread."""


class UnreadCountResponse(TypedDict):
    """How many of the newest notices are unread now."""

    unread: int
    """How many are unread."""


class NoticeRecipientResponse(TypedDict):
    """A member of one's own organization who was notified."""

    member_id: str
    """The ID of the membership: `mem_` and 26 characters."""
    name: str | None
    """The name of the member; null if they are no longer a member."""
    told_at: str
    """When the notice or report was given (RFC 3339, UTC)."""
    opened_at: str | None
    """When the member first opened it (RFC 3339, UTC); null if they did not."""
    mail: MailStatusResponse
    """What happened to its email."""


class ReferralNoticeResponse(TypedDict):
    """A notice of a referral that is scheduled, was sent, or was skipped.

    `due_on` is the day of a scheduled notice. For an overdue alert that is still ahead, it is the
    day when the alert is sent unless the referral moves on before. A notice that follows from an
    event has none.

    `why` is the reason why it was skipped, or would be if its day were today. `told` lists the
    recipients of one's own organization; those of the other organization are not listed.
    """

    rule: str
    """The rule that causes the notice, as a code."""
    title: str
    """The title, for display."""
    category: str
    """The category of the notice, which decides when it is emailed."""
    due_on: str | None
    """The day on which it is due (YYYY-MM-DD); null if it follows an event."""
    sides: list[str]
    """Who gets it: `practice`, `center` or both."""
    state: str
    """`planned`, `told` (sent), `skipped` or `parked` (failed)."""
    why: str | None
    """Why it was skipped, or would be; null if it is not."""
    told: list[NoticeRecipientResponse]
    """The members of the caller's own organization who were notified."""


class ReferralNoticePageResponse(TypedDict):
    """A page of a referral's notices."""

    items: list[ReferralNoticeResponse]
    """The items of this page, in the order of the list."""
    next_cursor: str | None
    """Send it as `cursor` to read the next page; null on the last page."""


class NoticeCategoriesResponse(TypedDict):
    """When the notices of each category are emailed."""

    journey: str
    """Notices about the status of a referral."""
    window: str
    """Notices about the monitoring window."""
    overdue: str
    """Notices that a status is overdue."""
    follow_up: str
    """Notices about the follow-up after the return."""
    digest: str
    """The weekly digest."""
    check_in: str
    """Questions whether a status is still right."""


QuietHoursResponse = TypedDict(
    "QuietHoursResponse",
    {
        "from": Annotated[str, Field(description="The time of day at which the quiet hours begin, as `HH:MM`.")],
        "to": Annotated[str, Field(description="The time of day at which the quiet hours end, as `HH:MM`.")],
    },
)
"""The hours in which no email is sent."""


class PreferencesResponse(TypedDict):
    """A member's notification settings."""

    categories: NoticeCategoriesResponse
    """When the notices of each category are emailed: `at_once`, `daily` or `never`."""
    digest_hour: int
    """The hour of the daily email, 0 to 23, in the member's time zone."""
    quiet_hours: QuietHoursResponse | None
    """The hours without email; null for none."""
    time_zone: str
    """The time zone that applies to the member, as an IANA name."""
    version: int
    """The version of the settings. Send it in `If-Match` with a change."""


def to_mail_response(mail_id: str | None, statuses: Mapping[str, MailStatusEntry]) -> MailStatusResponse:
    """The status of the email that contains a notice."""
    status = statuses.get(mail_id or "")
    if status is None:
        return {"state": NOT_WANTED_STATE, "at": None, "why": None}
    return {"state": status.state, "at": format_timestamp(status.at), "why": status.skip_reason}


def to_notice_response(notice: Notice, mails: Mapping[str, MailStatusEntry]) -> NoticeResponse:
    """A notice for the member who received it."""
    return {
        "notice_id": notice.notice_id,
        "rule": notice.rule,
        "title": notice.title,
        "detail": notice.detail or None,
        "referral_id": notice.referral_id or None,
        "alias": notice.alias or None,
        "category": notice.category,
        "created_at": format_timestamp(notice.created_at),
        "read_at": format_timestamp(notice.read_at) if notice.read_at else None,
        "mail": to_mail_response(notice.mail_id, mails),
    }


def to_history_row_response(row: HistoryRow, page: HistoryPage) -> ReferralNoticeResponse:
    """A row of a referral's notice history."""
    return {
        "rule": row.rule,
        "title": row.position.title,
        "category": row.category,
        "due_on": row.due_on.isoformat() if row.due_on else None,
        "sides": list(row.sides),
        "state": row.state,
        "why": row.skip_reason,
        "told": [_to_recipient_response(notice, page) for notice in row.recipients],
    }


def to_preferences_response(preferences: Preferences, *, time_zone: str) -> PreferencesResponse:
    """A member's notification settings, in their time zone."""
    quiet, get_timing = preferences.quiet_hours, preferences.get_timing
    return {
        "categories": {
            "journey": get_timing(Category.STATUS_UPDATE),
            "window": get_timing(Category.WINDOW),
            "overdue": get_timing(Category.OVERDUE),
            "follow_up": get_timing(Category.FOLLOW_UP),
            "digest": get_timing(Category.DIGEST),
            "check_in": get_timing(Category.CHECK_IN),
        },
        "digest_hour": preferences.digest_hour,
        "quiet_hours": (
            {"from": quiet.begins.strftime(_TIME_FORMAT), "to": quiet.ends.strftime(_TIME_FORMAT)} if quiet else None
        ),
        "time_zone": time_zone,
        "version": preferences.version,
    }


def _to_recipient_response(notice: SentNotice, page: HistoryPage) -> NoticeRecipientResponse:
    return {
        "member_id": notice.member_id,
        "name": page.names.get(notice.member_id),
        "told_at": format_timestamp(notice.created_at),
        "opened_at": format_timestamp(notice.read_at) if notice.read_at else None,
        "mail": to_mail_response(notice.mail_id, page.mails),
    }
