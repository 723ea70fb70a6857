"""Emails: one function and one folder of templates for each.

To add an email, add a folder `templates/<name>/` with `subject.txt`, `body.txt` and `body.html`, and
a function `compose_<name>` here that fills in the placeholders of the templates. The parts that all
emails share are next to the folders: the frame, the note about a late email, and the link to stop
optional emails.

For privacy, an email has the patient's alias, counts and a sign-in link, and nothing else about
anyone: no diagnosis, no status, no product, no center, no name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Protocol
from zoneinfo import ZoneInfo

from chalicelib.domain.platform.dates import format_date
from chalicelib.mail.invitation import CalendarPart

MAX_LISTED = 20
"""How many patients an email lists by alias. A longer list is in the dashboard."""


class TemplateError(Exception):
    """An email could not be rendered. The error names only the template, nothing about the patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailMessage:
    """An email to one person.

    Attributes:
        unsubscribe: The link to stop emails like it; empty if there is none.
        calendar: The invitation that it carries, if any.
    """

    to: str
    subject: str
    text: str
    html: str
    unsubscribe: str = ""
    calendar: CalendarPart | None = None


class Mailer(Protocol):
    """Something that sends emails."""

    def send(self, message: MailMessage, *, tag: str) -> str:
        """Hand the email to the service and return its message id. `tag` is our id of the email."""
        ...

    def read_quota_used(self) -> float:
        """Read how much of what the service lets us send in 24 hours was sent, in percent."""
        ...


def compose_notice_waiting(
    *, to: str, alias: str, count: int, sign_in_url: str, late_since_text: str = "", unsubscribe: str = ""
) -> MailMessage:
    """Announce new notices about one patient, without their content."""
    return _render_mail(
        "notice_waiting",
        _MailFrame(to=to, link=sign_in_url, late=late_since_text, unsubscribe=unsubscribe),
        alias=alias,
        notices=_format_count(count, "new notice"),
    )


def compose_notices_waiting(
    *, to: str, counts: Sequence[tuple[str, int]], sign_in_url: str, late_since_text: str = "", unsubscribe: str = ""
) -> MailMessage:
    """Announce how many new notices there are about which patients.

    Args:
        to: The member's email address.
        counts: For each patient the alias and the number of notices. Two patients can share an alias.
        sign_in_url: Where to sign in.
        late_since_text: When the email was due, in words; empty if it is on time.
        unsubscribe: The link to stop emails like this one.
    """
    return _render_mail(
        "notices_waiting",
        _MailFrame(to=to, link=sign_in_url, late=late_since_text, unsubscribe=unsubscribe),
        lines=_format_list([f"{alias}: {_format_count(count, 'new notice')}" for alias, count in counts]),
        notices=_format_count(sum(count for _, count in counts), "new notice"),
        patients=_format_count(len(counts), "patient"),
    )


def compose_weekly_digest(
    *,
    to: str,
    aliases: Sequence[str],
    unlisted: int = 0,
    sign_in_url: str,
    late_since_text: str = "",
    unsubscribe: str = "",
) -> MailMessage:
    """Announce the weekly digest: which patients are on it, without its content.

    Args:
        to: The member's email address.
        aliases: The patients to list.
        unlisted: How many more there are.
        sign_in_url: Where to sign in.
        late_since_text: When the email was due, in words; empty if it is on time.
        unsubscribe: The link to stop emails like this one.
    """
    return _render_mail(
        "weekly_digest",
        _MailFrame(to=to, link=sign_in_url, late=late_since_text, unsubscribe=unsubscribe),
        lines=_format_list(aliases, unlisted),
        patients=_format_count(len(aliases) + unlisted, "patient"),
    )


def compose_critical_notice(*, to: str, alias: str, sign_in_url: str, late_since_text: str = "") -> MailMessage:
    """Announce a critical notice, without its content."""
    return _render_mail("critical_notice", _MailFrame(to=to, link=sign_in_url, late=late_since_text), alias=alias)


def compose_escalation(*, to: str, alias: str, sign_in_url: str, late_since_text: str = "") -> MailMessage:
    """Announce that a critical notice could not be delivered to a colleague."""
    return _render_mail("escalation", _MailFrame(to=to, link=sign_in_url, late=late_since_text), alias=alias)


def compose_invitation(
    *, to: str, alias: str, change: str, sign_in_url: str, late_since_text: str = "", unsubscribe: str = ""
) -> MailMessage:
    """Announce an appointment. `change` says what happened to it: "planned or moved", "canceled"."""
    frame = _MailFrame(to=to, link=sign_in_url, late=late_since_text, unsubscribe=unsubscribe)
    return _render_mail("invitation", frame, alias=alias, change=change)


def format_time(at: datetime, zone: str) -> str:
    """Format a time for a reader in this zone: "December 2, 2026 at 7:00 AM CST"."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{format_date(local)} at {local.hour % 12 or 12}:{local:%M %p %Z}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _MailFrame:
    """What every email has. `late` is when it was due, in words; empty if it is on time."""

    to: str
    link: str
    late: str = ""
    unsubscribe: str = ""


def _format_count(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _format_list(lines: Sequence[str], unlisted: int = 0) -> Sequence[str]:
    """The first lines of a list, one per patient, and how many more there are."""
    listed = lines[:MAX_LISTED]
    more = len(lines) - len(listed) + unlisted
    return [*listed, f"and {_format_count(more, 'more patient')}"] if more else listed


def _render_mail(name: str, frame: _MailFrame, *, lines: Sequence[str] = (), **values: str) -> MailMessage:
    try:
        texts = values | {"link": frame.link}
        escaped = {key: escape(value) for key, value in texts.items()}
        subject = _load_template(f"{name}/subject.txt").substitute(texts)
        return MailMessage(
            to=frame.to,
            # One line, whatever a value contains: a line break would start a new header.
            subject=" ".join(subject.split()),
            text=_render_body(f"{name}/body", "txt", frame, texts, lines),
            html=_render_body(f"{name}/body", "html", frame, escaped, lines),
            unsubscribe=frame.unsubscribe,
        )
    except (KeyError, OSError, ValueError) as e:
        raise TemplateError(name) from e


def _render_body(body: str, form: str, frame: _MailFrame, values: dict[str, str], lines: Sequence[str]) -> str:
    """Render a body inside the frame of all emails.

    `values` are already escaped for the form; `lines` are not. A list item is always one line,
    whatever an alias contains.
    """
    escape_for_form = escape if form == "html" else str
    late, leave = escape_for_form(frame.late), escape_for_form(frame.unsubscribe)
    line_template = _load_template(f"line.{form}")
    listed = "".join(line_template.substitute(line=escape_for_form(" ".join(line.split()))) for line in lines)
    parts = {
        "body": _load_template(f"{body}.{form}").substitute(values | {"lines": listed}),
        "late": _load_template(f"late.{form}").substitute(late=late) if late else "",
        "leave": _load_template(f"leave.{form}").substitute(unsubscribe=leave) if leave else "",
    }
    return _load_template(f"frame.{form}").substitute(values | parts)


@cache
def _load_template(path: str) -> Template:
    return Template((files(__name__) / "templates" / path).read_text(encoding="utf-8"))
