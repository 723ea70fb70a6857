"""Wraps ministack: rejects requests from browsers, detects changes and sent mail, and refuses what cannot be saved.

Pages of the dashboard may upload to the quarantine bucket and open a signed link, as with Amazon S3.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from infra.local.child.checkpoints import CheckpointWriter
from infra.local.child.mail_record import MailRecord

AsgiScope: TypeAlias = MutableMapping[str, Any]
AsgiMessage: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[AsgiMessage]]
Send: TypeAlias = Callable[[AsgiMessage], Awaitable[None]]
Application: TypeAlias = Callable[[AsgiScope, Receive, Send], Awaitable[None]]

_QUARANTINE = re.compile(r"/[a-z0-9-]+-quarantine-[0-9]{12}/?")
_FILE = re.compile(r"/[a-z0-9-]+-documents-[0-9]{12}/ref_[a-z2-7]{26}/doc_[a-z2-7]{26}")
"""The paths that a browser needs, with the bucket names of `infra/resources.json`."""

_HEADER_PARAMETERS = {
    b"response-cache-control": b"cache-control",
    b"response-content-disposition": b"content-disposition",
    b"response-content-type": b"content-type",
}
"""The parameters of a signed link that decide headers of its response. Amazon S3 follows them, ministack does not.

Source: "GetObject", Overriding response header values, in the Amazon S3 API reference (read 2026-11).
"""

_UNAVAILABLE = b'{"__type": "ServiceUnavailable", "message": "The state cannot be saved."}'

# The verbs of AWS actions that do not change any state.
READING_VERBS = (
    "BatchGet",
    "Decrypt",
    "Describe",
    "Encrypt",
    "GenerateDataKey",
    "Get",
    "List",
    "Query",
    "Receive",
    "Scan",
    "TransactGet",
)

_MAILING_TARGETS = frozenset(
    f"AWSCognitoIdentityProviderService.{action}".encode()
    for action in ("AdminCreateUser", "AdminResetUserPassword", "ForgotPassword", "ResendConfirmationCode")
)
"""The actions of Cognito that send an invitation or a code."""


class GuardedApp:
    """The ASGI application that is served; it wraps ministack's."""

    def __init__(
        self,
        inner: Application,
        port: int,
        checkpoints: CheckpointWriter | None,
        mail: MailRecord,
        dashboard: str = "",
    ) -> None:
        self._inner = inner
        self._hosts = {f"127.0.0.1:{port}".encode(), f"localhost:{port}".encode()}
        self._checkpoints = checkpoints
        self._mail = mail
        self._dashboard = dashboard.encode()

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Process one request."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
        elif scope["type"] == "http" and (
            self._is_allowed(dict(scope["headers"])) or self._is_file_of_dashboard(scope)
        ):
            await self._forward_if_saved(scope, receive, _follow_link(scope, send))
        else:
            await _respond(scope, send, 403, b"")

    def _is_allowed(self, headers: dict[bytes, bytes]) -> bool:
        """Whether the request does not come from a page in a browser.

        Any web page can send requests to loopback, also under its own host name that points there.
        """
        is_from_browser = b"origin" in headers or b"sec-fetch-site" in headers
        return headers.get(b"host") in self._hosts and not is_from_browser

    def _is_file_of_dashboard(self, scope: AsgiScope) -> bool:
        """Whether a page of the dashboard uploads a file, or a person opens a signed link to one."""
        headers = dict(scope["headers"])
        if headers.get(b"host") not in self._hosts:
            return False
        if _FILE.fullmatch(scope["path"]):
            return scope["method"] == "GET" and b"X-Amz-Signature=" in scope["query_string"]
        is_from_dashboard = bool(self._dashboard) and headers.get(b"origin") == self._dashboard
        return (
            is_from_dashboard and scope["method"] in {"OPTIONS", "POST"} and bool(_QUARANTINE.fullmatch(scope["path"]))
        )

    async def _forward_if_saved(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Process a request, but none whose result might be lost. A client repeats what is refused with 503."""
        if self._checkpoints is None:
            await self._forward(scope, receive, send)
            return
        can_change = _can_change_state(scope)
        if can_change:
            await self._checkpoints.wait_for_room()
        if self._checkpoints.is_failing:
            await _respond(scope, send, 503, _UNAVAILABLE)
            return
        await self._forward(scope, receive, send)
        if can_change:
            self._checkpoints.note_change()

    async def _forward(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        request = bytearray()

        async def receive_and_keep() -> AsgiMessage:
            message = await receive()
            request.extend(message.get("body", b""))
            return message

        async def record_and_send(message: AsgiMessage) -> None:
            if message["type"] == "http.response.start":
                self._mail.append_new(bytes(request))
            await send(message)

        if _can_send_mail(scope):
            await self._inner(scope, receive_and_keep, record_and_send)
        else:
            await self._inner(scope, receive, send)


def _follow_link(scope: AsgiScope, send: Send) -> Send:
    """Send the headers that a link to a file names, if its file is sent."""
    if not _FILE.fullmatch(scope["path"]):
        return send
    parameters = dict(parse_qsl(scope["query_string"]))
    headers = [(header, parameters[name]) for name, header in _HEADER_PARAMETERS.items() if name in parameters]

    async def send_with_headers(message: AsgiMessage) -> None:
        if message["type"] == "http.response.start" and message["status"] in {200, 206}:
            named = {header for header, _ in headers}
            kept = [(name, value) for name, value in message["headers"] if name.lower() not in named]
            message = {**message, "headers": [*kept, *headers]}
        await send(message)

    return send_with_headers


def _can_send_mail(scope: AsgiScope) -> bool:
    """Whether a request may send mail. SES accepts mail at its own path (v2), or as a form at the root (v1)."""
    if scope["path"].startswith("/v2/email/outbound"):
        return True
    target = dict(scope["headers"]).get(b"x-amz-target")
    return scope["path"] == "/" and (target is None or target in _MAILING_TARGETS)


def _can_change_state(scope: AsgiScope) -> bool:
    target = dict(scope["headers"]).get(b"x-amz-target", b"").decode("latin-1")
    if target:
        return not target.rpartition(".")[2].startswith(READING_VERBS)
    return scope["method"] not in {"GET", "HEAD"}


async def _respond(scope: AsgiScope, send: Send, status: int, body: bytes) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"application/x-amz-json-1.0")] if body else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
