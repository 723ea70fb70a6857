"""Wraps ministack: rejects requests from browsers, and detects changes and sent mail."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from infra.local.child.checkpoints import CheckpointWriter
from infra.local.child.mail_record import MailRecord

AsgiScope: TypeAlias = MutableMapping[str, Any]
AsgiMessage: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[AsgiMessage]]
Send: TypeAlias = Callable[[AsgiMessage], Awaitable[None]]
Application: TypeAlias = Callable[[AsgiScope, Receive, Send], Awaitable[None]]

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


class GuardedApp:
    """The ASGI application that is served; it wraps ministack's."""

    def __init__(self, inner: Application, port: int, checkpoints: CheckpointWriter, mail: MailRecord) -> None:
        self._inner = inner
        self._hosts = {f"127.0.0.1:{port}".encode(), f"localhost:{port}".encode()}
        self._checkpoints = checkpoints
        self._mail = mail

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Process one request."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
        elif scope["type"] == "http" and self._is_allowed(dict(scope["headers"])):
            await self._forward(scope, receive, send)
        else:
            await _reject(scope, send)

    def _is_allowed(self, headers: dict[bytes, bytes]) -> bool:
        """Whether the request does not come from a page in a browser.

        Any web page can send requests to loopback, also under its own host name that points there.
        """
        is_from_browser = b"origin" in headers or b"sec-fetch-site" in headers
        return headers.get(b"host") in self._hosts and not is_from_browser

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
        self._checkpoints.changed |= _can_change_state(scope)


def _can_send_mail(scope: AsgiScope) -> bool:
    """Whether a request may send mail. SES accepts mail at its own path (v2), or as a form at the root (v1)."""
    if scope["path"].startswith("/v2/email/outbound"):
        return True
    return scope["path"] == "/" and b"x-amz-target" not in dict(scope["headers"])


def _can_change_state(scope: AsgiScope) -> bool:
    target = dict(scope["headers"]).get(b"x-amz-target", b"").decode("latin-1")
    if target:
        return not target.rpartition(".")[2].startswith(READING_VERBS)
    return scope["method"] not in {"GET", "HEAD"}


async def _reject(scope: AsgiScope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": 403, "headers": []})
    await send({"type": "http.response.body", "body": b""})
