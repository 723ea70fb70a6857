"""Shows the emails that the product sent on this machine as web pages. Production has no such pages.

/mailbox             all emails, newest first
/mailbox/ID          one email; ?view=html (the default), text, or source
/mailbox/ID/html     its HTML version, for the frame on that page
/mailbox.json        all emails as JSON
"""

import base64
import hashlib
import json
import logging
import re
import threading
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTPUTF8
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs

from infra.local.http1 import HttpRequest, HttpResponse

log = logging.getLogger(__name__)

Mail = dict[str, Any]

_PAGES = Path(__file__).parent / "pages"
_PAGE = Template((_PAGES / "mailbox.html").read_text())
_STYLE = (_PAGES / "mailbox.css").read_text()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_VIEWS = {"html": "HTML", "text": "Text", "source": "Source"}
_FIELDS: dict[str, type] = {
    **dict.fromkeys(("mail_id", "from", "sent_at", "subject", "text", "html", "calendar"), str),
    **dict.fromkeys(("to", "cc", "bcc", "reply_to", "headers"), list),
    "tags": dict,
}
_REQUIRED_FIELDS = _FIELDS.keys() - {"calendar", "tags"}
"""Lines of earlier versions have no others."""

_MAIL_PATH = re.compile(r"/mailbox/([0-9A-Za-z-]+)(/html)?")
# The longest line that an email may contain without encoding. Source: RFC 5322, section 2.1.1.
_MAX_LINE_BYTES = 998

_SECURITY_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
_PAGE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# An email may only show styles and open a link in a new window.
_SANDBOX_PERMISSIONS = "allow-popups allow-popups-to-escape-sandbox"
_MAIL_POLICY = (
    f"sandbox {_SANDBOX_PERMISSIONS}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class SentMailbox:
    """Reads the record of sent mail. The local cloud only appends to this file."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._position = 0
        self._mails: list[Mail] = []
        self._unreadable = 0
        self._lock = threading.Lock()

    def list_mails(self) -> list[Mail]:
        """List all emails, newest first."""
        with self._lock:
            if self._record.exists():
                self._read_new()
            return self._mails[::-1]

    def _read_new(self) -> None:
        with self._record.open("rb") as file:
            file.seek(self._position)
            # The last line may still be incomplete.
            complete = file.read().rpartition(b"\n")[0]
        if not complete:
            return
        self._position += len(complete) + 1
        mails = [_parse_line(line) for line in complete.split(b"\n")]
        self._mails += [mail for mail in mails if mail is not None]
        if None in mails:
            self._unreadable += mails.count(None)
            log.error("%d lines of %s are damaged and are left out", self._unreadable, self._record)

    def count_unreadable(self) -> int:
        """Count the lines of the record that are not an email. `list_mails` leaves them out."""
        self.list_mails()
        return self._unreadable

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        """Answer a request for a mailbox page. Return None for any other path."""
        match = _MAIL_PATH.fullmatch(request.path)
        if request.path not in {"/mailbox", "/mailbox.json"} and not match:
            return None
        if request.method not in {"GET", "HEAD"}:
            return _build_response("", "text/plain", status=405)
        if request.path == "/mailbox.json":
            return _build_response(json.dumps([_build_summary(m) for m in self.list_mails()]), "application/json")
        if match:
            return self._find_page(match, request.query)
        return _build_list_page(self.list_mails(), unreadable=self.count_unreadable())

    def _find_page(self, path: re.Match[str], query: str) -> HttpResponse:
        mail = next((mail for mail in self.list_mails() if mail["mail_id"] == path[1]), None)
        if not mail:
            return _build_page("Email not found", _BACK, '<p class="empty">This email was not found.</p>', status=404)
        if path[2]:
            return _build_response(_open_links_in_new_window(mail["html"]), "text/html", policy=_MAIL_POLICY)
        view = parse_qs(query).get("view", ["html" if mail["html"] else "text"])[0]
        return _build_mail_page(mail, view if view in _VIEWS else "text")


def _build_summary(mail: Mail) -> Mail:
    """Build the JSON of an email, with each list of addresses as one string, as in a header."""
    addresses = {name: ", ".join(mail[name]) for name in ("to", "cc", "bcc", "reply_to")}
    return mail | addresses


def format_source(mail: Mail) -> str:
    """Format the source of an email as a mail program would show it."""
    message = EmailMessage(policy=SMTPUTF8)
    message["From"] = mail["from"]
    for name in ("To", "Cc", "Reply-To"):
        if mail[name.lower().replace("-", "_")]:
            message[name] = ", ".join(mail[name.lower().replace("-", "_")])
    message["Subject"] = mail["subject"]
    message["Date"] = datetime.fromisoformat(mail["sent_at"])
    message["Message-ID"] = f"<{mail['mail_id']}@email.amazonses.com>"
    for name, value in mail["headers"]:
        message[name] = value
    message.set_content(mail["text"], cte=_choose_encoding(mail["text"]))
    if mail["html"]:
        message.add_alternative(mail["html"], subtype="html", cte=_choose_encoding(mail["html"]))
    return message.as_bytes().decode("utf-8", "replace").replace("\r\n", "\n")


def _choose_encoding(text: str) -> str:
    """Choose the encoding that people can read, if the lines are short enough for it."""
    too_long = any(len(line.encode()) > _MAX_LINE_BYTES for line in text.splitlines())
    return "quoted-printable" if too_long else "8bit"


_BACK = '<p><a href="/mailbox">All emails</a></p>'


def _parse_line(line: bytes) -> Mail | None:
    """Parse a line of the record. None if it is damaged, which must not hide the other emails."""
    try:
        mail = json.loads(line)
        datetime.fromisoformat(mail["sent_at"])
        is_mail = mail.keys() >= _REQUIRED_FIELDS
        is_mail = is_mail and all(isinstance(mail.get(name, kind()), kind) for name, kind in _FIELDS.items())
        headers = [(name, value) for name, value in mail["headers"]]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    texts = [*mail["to"], *mail["cc"], *mail["bcc"], *mail["reply_to"], *(text for pair in headers for text in pair)]
    return mail if is_mail and all(isinstance(text, str) for text in texts) else None


def _build_list_page(mails: list[Mail], *, unreadable: int) -> HttpResponse:
    rows = "".join(
        f'<li><a href="/mailbox/{escape(mail["mail_id"])}"><b>{escape(mail["subject"])}</b>'
        f"{_format_time(mail)}<span>{escape(', '.join(mail['to']))}</span></a></li>"
        for mail in mails
    )
    header = "<h1>Email</h1><p>Emails sent by this run. Nothing leaves this machine.</p>"
    if unreadable:
        header += f"<p>Damaged lines of mail.jsonl that are left out: {unreadable}.</p>"
    empty = '<p class="empty">No emails yet. They appear here as soon as they are sent.</p>'
    return _build_page("Email", header, f"<ol>{rows}</ol>" if mails else empty)


def _build_mail_page(mail: Mail, view: str) -> HttpResponse:
    fields = {"From": [mail["from"]], "To": mail["to"], "Cc": mail["cc"], "Bcc": mail["bcc"]}
    rows = "".join(
        f"<dt>{name}</dt><dd>{escape(', '.join(addresses))}</dd>" for name, addresses in fields.items() if addresses
    )
    links = "".join(
        f'<a href="?view={name}"{" aria-current=page" if name == view else ""}>{label}</a>'
        for name, label in _VIEWS.items()
        if name != "html" or mail["html"]
    )
    content = f"<dl>{rows}<dt>Sent</dt><dd>{_format_time(mail)}</dd></dl><nav>{links}</nav>"
    header = f"{_BACK}<h1>{escape(mail['subject'])}</h1>"
    return _build_page(mail["subject"], header, content + _build_body(mail, view))


def _build_body(mail: Mail, view: str) -> str:
    if view == "html":
        address = f"/mailbox/{escape(mail['mail_id'])}/html"
        return f'<iframe src="{address}" sandbox="{_SANDBOX_PERMISSIONS}" title="HTML version of the email"></iframe>'
    return f"<pre>{escape(format_source(mail) if view == 'source' else mail['text'])}</pre>"


def _format_time(mail: Mail) -> str:
    sent_at = datetime.fromisoformat(mail["sent_at"])
    return f'<time datetime="{sent_at.isoformat()}">{sent_at:%Y-%m-%d %H:%M:%S} UTC</time>'


def _open_links_in_new_window(html: str) -> str:
    """Make links open in a new window, because their targets must not be shown in a frame."""
    head, tag, rest = html.partition("<head>")
    return f'{head}{tag}<base target="_blank">{rest}' if tag else html


def _build_page(title: str, header: str, content: str, *, status: int = 200) -> HttpResponse:
    page = _PAGE.substitute(title=escape(title), style=_STYLE, header=header, content=content)
    return _build_response(page, "text/html", status=status, policy=_PAGE_POLICY)


def _build_response(
    text: str, media_type: str, *, status: int = 200, policy: str = "default-src 'none'"
) -> HttpResponse:
    headers = (
        ("Content-Type", f"{media_type}; charset=utf-8"),
        ("Content-Security-Policy", policy),
        *_SECURITY_HEADERS,
    )
    return HttpResponse(status=status, headers=headers, body=text.encode())
