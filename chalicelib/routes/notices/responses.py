"""Notices, their emails and their settings as the API returns them."""

from collections.abc import Mapping

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
    at: str | None
    why: str | None


class NoticeResponse(TypedDict):
    """A notice that the member received. `detail` is what a report about care says."""

    notice_id: str
    rule: str
    title: str
    detail: str | None
    referral_id: str | None
    alias: str | None
    category: str
    created_at: str
    read_at: str | None
    mail: MailStatusResponse


class NoticePageResponse(TypedDict):
    """A page of notices."""

    items: list[NoticeResponse]
    next_cursor: str | None
    unread: int


class UnreadCountResponse(TypedDict):
    """How many of the newest notices are unread now."""

    unread: int


class NoticeRecipientResponse(TypedDict):
    """A member of one's own organization who was notified."""

    member_id: str
    name: str | None
    told_at: str
    opened_at: str | None
    mail: MailStatusResponse


class ReferralNoticeResponse(TypedDict):
    """A notice of a referral that is scheduled, was sent, or was skipped.

    `due_on` is the day of a scheduled notice. For an overdue alert that is still ahead, it is the
    day when the alert is sent unless the referral moves on before. A notice that follows from an
    event has none.

    `why` is the reason why it was skipped, or would be if its day were today. `told` lists the
    recipients of one's own organization; those of the other organization are not listed.
    """

    rule: str
    title: str
    category: str
    due_on: str | None
    sides: list[str]
    state: str
    why: str | None
    told: list[NoticeRecipientResponse]


class ReferralNoticePageResponse(TypedDict):
    """A page of a referral's notices."""

    items: list[ReferralNoticeResponse]
    next_cursor: str | None


class NoticeCategoriesResponse(TypedDict):
    """When the notices of each category are emailed."""

    journey: str
    window: str
    overdue: str
    follow_up: str
    digest: str
    check_in: str


QuietHoursResponse = TypedDict("QuietHoursResponse", {"from": str, "to": str})
"""The hours in which no email is sent."""


class PreferencesResponse(TypedDict):
    """A member's notification settings."""

    categories: NoticeCategoriesResponse
    digest_hour: int
    quiet_hours: QuietHoursResponse | None
    time_zone: str
    version: int


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
