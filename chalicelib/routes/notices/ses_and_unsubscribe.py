"""What comes back from emails: delivery events of Amazon SES, and readers who unsubscribe."""

import base64
import hashlib
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from chalicelib import mail, wiring
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.domain.notices.ses_events import NotAMailEventError, parse_mail_event
from chalicelib.domain.notices.sns_message import NotAnSnsMessageError, SnsMessageKind, parse_sns_message
from chalicelib.errors import MalformedError, UnauthenticatedError
from chalicelib.observe import log
from chalicelib.routes.platform import strict_json
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.notices.ses_feedback import record_mail_event
from chalicelib.services.notices.unsubscribe import UNSUBSCRIBE_PATH, parse_unsubscribe_token, unsubscribe_member


@declare_endpoint("POST", "/v1/mail-events", status=204, access=RouteAccess.SNS_SIGNATURE)
def receive_mail_event(request: ApiRequest) -> ApiResponse[None]:
    """Receive email delivery events from Amazon SNS."""
    try:
        message = parse_sns_message(strict_json.parse_json(request.raw_body, limit=MAX_BYTES))
    except NotAnSnsMessageError as e:
        raise UnauthenticatedError from e
    wiring.get_sns_verifier().require_valid_signature(message, now=request.now)
    match message.kind:
        case SnsMessageKind.SUBSCRIPTION:
            wiring.get_sns_verifier().confirm_subscription(message)
            log.info("mail events are subscribed to")
        case SnsMessageKind.UNSUBSCRIPTION:
            log.error("mail events are not subscribed to any more")
        case SnsMessageKind.NOTIFICATION:
            _record_event(message.message, request)
    return ApiResponse(body=None, status=204)


MAX_BYTES = 256 * 1024
"""The largest message. Source: Amazon SNS quotas."""


def _record_event(message: str, request: ApiRequest) -> None:
    try:
        event = parse_mail_event(strict_json.parse_json(message.encode(), limit=MAX_BYTES))
    except (MalformedError, NotAMailEventError):
        # A retry would not help, so we do not ask for one. SES itself sends such a message as a test.
        log.warning("not an event of the mail service")
        return
    record_mail_event(event, context=request.context)


@declare_endpoint("GET", f"{UNSUBSCRIBE_PATH}/{{token}}", access=RouteAccess.LINK_HOLDER)
def show_unsubscribe_page(request: ApiRequest, token: str) -> ApiResponse[str]:  # noqa: ARG001 all views take it
    """Show the page that asks whether to unsubscribe; changes nothing."""
    parse_unsubscribe_token(token, stores=wiring.get_stores())
    return _render_page("ask", action=f"{wiring.get_settings().public_url}{UNSUBSCRIBE_PATH}/{token}")


@declare_endpoint("POST", f"{UNSUBSCRIBE_PATH}/{{token}}", access=RouteAccess.LINK_HOLDER)
def unsubscribe(request: ApiRequest, token: str) -> ApiResponse[str]:  # noqa: ARG001 as above
    """Unsubscribe from emails of this kind (RFC 8058); safe to repeat.

    The body is not read, because the link alone says which emails it is for.
    """
    unsubscribe_member(token, stores=wiring.get_stores())
    return _render_page("done", action="")


def _render_page(name: str, *, action: str) -> ApiResponse[str]:
    url = wiring.get_settings().public_url
    text = _load_template(name).substitute(
        style=_load_style(),
        action=escape(action),
        dashboard=escape(url),
        statements="".join(f'<p class="soft">{escape(statement)}</p>\n' for statement in DISCLAIMERS),
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
