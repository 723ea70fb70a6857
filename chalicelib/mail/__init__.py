"""Mail: one function a mail, one folder of templates a function.

To add a mail, add a folder `templates/<name>/` with `subject.txt`, `body.txt` and `body.html`,
and a function of that name here that returns what the templates ask for. A mail carries the
patient's alias, a count and a sign-in link, and nothing else about anybody: no diagnosis, no
stage, no product, no center, no name.
"""

from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A mail to one person."""

    to: str
    subject: str
    text: str
    html: str


class Mailer(Protocol):
    """Something that sends mail."""

    def send(self, message: Message, *, tag: str) -> str:
        """Hand the mail over and return the service's id of it. `tag` is our id of the cause."""
        ...


def notice_waiting(*, to: str, alias: str, count: int, link: str) -> Message:
    """Tell a member that there is something to read about a patient, and not what."""
    noun, verb = ("1 new notice", "is") if count == 1 else (f"{count} new notices", "are")
    return _rendered("notice_waiting", to=to, alias=alias, are=verb, notices=noun, link=link)


def _rendered(name: str, *, to: str, **values: str) -> Message:
    subject, text, html = _templates(name)
    return Message(
        to=to,
        # One line, whatever a value holds: a line break in a subject would begin a new header.
        subject=" ".join(subject.substitute(values).split()),
        text=text.substitute(values),
        html=html.substitute({key: escape(value) for key, value in values.items()}),
    )


@cache
def _templates(name: str) -> tuple[Template, Template, Template]:
    folder = files(__name__) / "templates" / name
    subject, text, html = (
        Template((folder / part).read_text(encoding="utf-8"))
        for part in ("subject.txt", "body.txt", "body.html")
    )
    return subject, text, html
