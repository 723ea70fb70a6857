"""What comes back from mails: events of the mail service, and readers who want no more of them."""

import base64
import hashlib
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from chalice import Blueprint

from chalicelib import mail, wiring
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.domain.notices import ses_events as mail_events
from chalicelib.domain.notices import sns_message as topic
from chalicelib.domain.notices.sns_message import SnsMessageKind
from chalicelib.errors import MalformedError, UnauthenticatedError
from chalicelib.observe import log
from chalicelib.routes.platform import strict_json
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.notices.ses_feedback import record_mail_event
from chalicelib.services.notices.unsubscribe import UNSUBSCRIBE_PATH, parse_unsubscribe_token, unsubscribe_member

blueprint = Blueprint(__name__)


@declare_endpoint(blueprint, "POST", "/v1/mail-events", status=204, access=RouteAccess.SNS_SIGNATURE)
def receive_mail_event(request: ApiRequest) -> ApiResponse:
    """Receive what became of a mail, as Amazon SNS posts it for our own topic."""
    try:
        post = topic.parse_sns_message(strict_json.parse_json(request.raw_body, limit=MAX_BYTES))
    except topic.NotAnSnsMessageError as e:
        raise UnauthenticatedError from e
    wiring.get_sns_verifier().require_valid_signature(post, now=request.now)
    match post.kind:
        case SnsMessageKind.SUBSCRIPTION:
            wiring.get_sns_verifier().confirm_subscription(post)
            log.info("mail events are subscribed to")
        case SnsMessageKind.UNSUBSCRIPTION:
            log.error("mail events are not subscribed to any more")
        case SnsMessageKind.NOTIFICATION:
            _handle_message(post.message, request)
    return ApiResponse(status=204)


MAX_BYTES = 256 * 1024
"""Source: Amazon SNS quotas, the largest message."""


def _handle_message(message: str, request: ApiRequest) -> None:
    try:
        event = mail_events.parse_mail_event(strict_json.parse_json(message.encode(), limit=MAX_BYTES))
    except (MalformedError, mail_events.NotAMailEventError):
        # A repeat would be no better, so it is not asked for. SES itself posts one such to test.
        log.warning("not an event of the mail service")
        return
    record_mail_event(event, context=request.context)


@declare_endpoint(blueprint, "GET", f"{UNSUBSCRIBE_PATH}/{{token}}", access=RouteAccess.LINK_HOLDER)
def ask_to_unsubscribe(request: ApiRequest, token: str) -> ApiResponse:  # noqa: ARG001 every view is called alike
    """Ask the reader of a mail whether to stop mails like it. Changes nothing by itself."""
    parse_unsubscribe_token(token, stores=wiring.get_stores())
    return _render_page("ask", action=f"{wiring.get_settings().public_url}{UNSUBSCRIBE_PATH}/{token}")


@declare_endpoint(blueprint, "POST", f"{UNSUBSCRIBE_PATH}/{{token}}", access=RouteAccess.LINK_HOLDER)
def unsubscribe(request: ApiRequest, token: str) -> ApiResponse:  # noqa: ARG001 as above
    """Stop mails like the one that the link stands in (RFC 8058). Repeating it is harmless.

    What is posted is not looked at: the link alone says what it is for.
    """
    unsubscribe_member(token, stores=wiring.get_stores())
    return _render_page("done", action="")


def _render_page(name: str, *, action: str) -> ApiResponse:
    link = wiring.get_settings().public_url
    text = _load_template(name).substitute(
        style=_load_style(),
        action=escape(action),
        dashboard=escape(link),
        statements="".join(f'<p class="soft">{escape(each)}</p>\n' for each in DISCLAIMERS),
        emergency=escape(EMERGENCY_NOTE),
    )
    digest = base64.b64encode(hashlib.sha256(_load_style().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return ApiResponse(
        body=text,
        headers={
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": policy,
            "X-Robots-Tag": "noindex",
        },
    )


@cache
def _load_template(name: str) -> Template:
    return Template((files(mail) / "pages" / f"{name}.html").read_text(encoding="utf-8"))


@cache
def _load_style() -> str:
    return (files(mail) / "pages" / "style.css").read_text(encoding="utf-8")
