"""What comes back from mails: events of the mail service, and readers who want no more of them."""

import base64
import hashlib
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from chalice import Blueprint

from chalicelib import mail, wiring
from chalicelib.domain.eligibility.disclaimers import EMERGENCY_NOTE, STATEMENTS
from chalicelib.domain.notices import ses_events as mail_events
from chalicelib.domain.notices import sns_message as topic
from chalicelib.domain.notices.sns_message import PostKind
from chalicelib.errors import MalformedError, UnauthenticatedError
from chalicelib.observe import log
from chalicelib.routes.platform import strict_json
from chalicelib.routes.platform.endpoint import Reply, endpoint
from chalicelib.routes.platform.operations import Access
from chalicelib.routes.platform.request import Call
from chalicelib.services.notices.ses_feedback import take
from chalicelib.services.notices.unsubscribe import PATH, named_by, turn_off

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/v1/mail-events", status=204, access=Access.TOPIC)
def receive_mail_event(call: Call) -> Reply:
    """Receive what became of a mail, as Amazon SNS posts it for our own topic."""
    try:
        post = topic.read(strict_json.read(call.raw_body, limit=MOST_BYTES))
    except topic.NotAPostError as e:
        raise UnauthenticatedError from e
    wiring.posts().require_genuine(post, now=call.now)
    match post.kind:
        case PostKind.SUBSCRIPTION:
            wiring.posts().confirm(post)
            log.info("mail events are subscribed to")
        case PostKind.UNSUBSCRIPTION:
            log.error("mail events are not subscribed to any more")
        case PostKind.NOTIFICATION:
            _receive(post.message, call)
    return Reply(status=204)


MOST_BYTES = 256 * 1024
"""Source: Amazon SNS quotas, the largest message."""


def _receive(message: str, call: Call) -> None:
    try:
        event = mail_events.read(strict_json.read(message.encode(), limit=MOST_BYTES))
    except (MalformedError, mail_events.NotAnEventError):
        # A repeat would be no better, so it is not asked for. SES itself posts one such to test.
        log.warning("not an event of the mail service")
        return
    take(event, stores=wiring.stores(), now=call.now)


@endpoint(blueprint, "GET", f"{PATH}/{{token}}", access=Access.HOLDER)
def ask_to_unsubscribe(call: Call, token: str) -> Reply:  # noqa: ARG001 every view is called alike
    """Ask the reader of a mail whether to stop mails like it. Changes nothing by itself."""
    named_by(token, stores=wiring.stores())
    return _page("ask", action=f"{wiring.settings().public_url}{PATH}/{token}")


@endpoint(blueprint, "POST", f"{PATH}/{{token}}", access=Access.HOLDER)
def unsubscribe(call: Call, token: str) -> Reply:  # noqa: ARG001 as above
    """Stop mails like the one that the link stands in (RFC 8058). Repeating it is harmless.

    What is posted is not looked at: the link alone says what it is for.
    """
    turn_off(token, stores=wiring.stores())
    return _page("done", action="")


def _page(name: str, *, action: str) -> Reply:
    link = wiring.settings().public_url
    text = _template(name).substitute(
        style=_style(),
        action=escape(action),
        dashboard=escape(link),
        statements="".join(f'<p class="soft">{escape(each)}</p>\n' for each in STATEMENTS),
        emergency=escape(EMERGENCY_NOTE),
    )
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return Reply(
        body=text,
        headers={
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": policy,
            "X-Robots-Tag": "noindex",
        },
    )


@cache
def _template(name: str) -> Template:
    return Template((files(mail) / "pages" / f"{name}.html").read_text(encoding="utf-8"))


@cache
def _style() -> str:
    return (files(mail) / "pages" / "style.css").read_text(encoding="utf-8")
