"""Mail: one function a mail, one folder of templates a function.

To add a mail, add a folder `templates/<name>/` with `subject.txt`, `body.txt` and `body.html`,
and a function of that name here that returns what the templates ask for. What all mails share
stands beside the folders: the frame, the line about lateness, the way out of optional mails. A
mail carries the patient's alias, counts and a sign-in link, and nothing else about anybody: no
diagnosis, no stage, no product, no center, no name.
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

MAX_LISTED = 20
"""How many patients a mail lists by their alias; a longer list is read in the dashboard."""


class TemplateError(Exception):
    """A mail could not be put into words; it says nothing of what it was about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailMessage:
    """A mail to one person. `unsubscribe` is where its reader stops the like; empty for no way."""

    to: str
    subject: str
    text: str
    html: str
    unsubscribe: str = ""


class Mailer(Protocol):
    """Something that sends mail."""

    def send(self, message: MailMessage, *, tag: str) -> str:
        """Hand the mail over and return the service's id of it. `tag` is our id of the mail."""
        ...


def compose_notice_waiting(
    *, to: str, alias: str, count: int, sign_in_url: str, late_since_text: str = "", unsubscribe: str = ""
) -> MailMessage:
    """Tell a member that there is something to read about a patient, and not what."""
    verb = "is" if count == 1 else "are"
    return _render_mail(
        "notice_waiting",
        _MailFrame(to=to, link=sign_in_url, late=late_since_text, unsubscribe=unsubscribe),
        alias=alias,
        are=verb,
        notices=_format_count(count, "new notice"),
    )


def compose_notices_waiting(
    *, to: str, counts: Sequence[tuple[str, int]], sign_in_url: str, late_since_text: str = "", unsubscribe: str = ""
) -> MailMessage:
    """Tell a member how much there is to read about whom.

    Args:
        to: The member's address.
        counts: For each patient the alias and the number of notices. Two may share an alias.
        link: Where to sign in.
        late: Since when the mail is late, in words.
        unsubscribe: Where the like is stopped.
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
    """Tell a member of whom the week's digest is, and not what it says.

    Args:
        to: The member's address.
        aliases: The patients that are named.
        unlisted: How many more there are.
        link: Where to sign in.
        late: Since when the mail is late, in words.
        unsubscribe: Where the like is stopped.
    """
    return _render_mail(
        "weekly_digest",
        _MailFrame(to=to, link=sign_in_url, late=late_since_text, unsubscribe=unsubscribe),
        lines=_format_list(aliases, unlisted),
        patients=_format_count(len(aliases) + unlisted, "patient"),
    )


def compose_critical_notice(*, to: str, alias: str, sign_in_url: str, late_since_text: str = "") -> MailMessage:
    """Tell a member that something should be read now, and not what."""
    return _render_mail("critical_notice", _MailFrame(to=to, link=sign_in_url, late=late_since_text), alias=alias)


def compose_escalation(*, to: str, alias: str, sign_in_url: str, late_since_text: str = "") -> MailMessage:
    """Tell a member that a colleague could not be told of something that should be read now."""
    return _render_mail("escalation", _MailFrame(to=to, link=sign_in_url, late=late_since_text), alias=alias)


def format_time(at: datetime, zone: str) -> str:
    """A time as a reader in a zone says it."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%B} {local.day}, {local.year} at {local:%H:%M %Z}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _MailFrame:
    """What any mail has. `late` is since when it is late, in words; empty if it is not."""

    to: str
    link: str
    late: str = ""
    unsubscribe: str = ""


def _format_count(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _format_list(lines: Sequence[str], unlisted: int = 0) -> Sequence[str]:
    """The first lines of a list, one a patient, and how many more there are."""
    listed = lines[:MAX_LISTED]
    more = len(lines) - len(listed) + unlisted
    return [*listed, f"and {_format_count(more, 'more patient')}"] if more else listed


def _render_mail(name: str, frame: _MailFrame, *, lines: Sequence[str] = (), **values: str) -> MailMessage:
    try:
        given = values | {"link": frame.link}
        in_html = {key: escape(value) for key, value in given.items()}
        subject = _load_template(f"{name}/subject.txt").substitute(given)
        return MailMessage(
            to=frame.to,
            # One line, whatever a value holds: a line break would begin a new header.
            subject=" ".join(subject.split()),
            text=_render_body(f"{name}/body", "txt", frame, given, lines),
            html=_render_body(f"{name}/body", "html", frame, in_html, lines),
            unsubscribe=frame.unsubscribe,
        )
    except (KeyError, OSError, ValueError) as e:
        raise TemplateError(name) from e


def _render_body(body: str, form: str, frame: _MailFrame, values: dict[str, str], lines: Sequence[str]) -> str:
    """A body within what all mails share. `values` are spelled for the form; `lines` are not yet.

    A line of a list is one line, whatever an alias holds.
    """
    spelled = escape if form == "html" else str
    late, leave = spelled(frame.late), spelled(frame.unsubscribe)
    line = _load_template(f"line.{form}")
    listed = "".join(line.substitute(line=spelled(" ".join(each.split()))) for each in lines)
    parts = {
        "body": _load_template(f"{body}.{form}").substitute(values | {"lines": listed}),
        "late": _load_template(f"late.{form}").substitute(late=late) if late else "",
        "leave": _load_template(f"leave.{form}").substitute(unsubscribe=leave) if leave else "",
    }
    return _load_template(f"frame.{form}").substitute(values | parts)


@cache
def _load_template(path: str) -> Template:
    return Template((files(__name__) / "templates" / path).read_text(encoding="utf-8"))
