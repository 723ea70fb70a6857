"""What stands before ministack: it keeps browsers out, and notices changes and mail."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from infra.local.child.checkpoints import CheckpointWriter
from infra.local.child.mail_record import MailRecord

AsgiScope: TypeAlias = MutableMapping[str, Any]
AsgiMessage: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[AsgiMessage]]
Send: TypeAlias = Callable[[AsgiMessage], Awaitable[None]]
Application: TypeAlias = Callable[[AsgiScope, Receive, Send], Awaitable[None]]

# The verbs of AWS actions that leave nothing to save.
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
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
        elif scope["type"] == "http" and self._is_not_from_browser(dict(scope["headers"])):
            await self._forward(scope, receive, send)
        else:
            await _send_refusal(scope, send)

    def _is_not_from_browser(self, headers: dict[bytes, bytes]) -> bool:
        """Whether it is no page in a browser that asks.

        Any page may send requests to loopback, and under a name of its own that points there.
        """
        by_a_browser = b"origin" in headers or b"sec-fetch-site" in headers
        return headers.get(b"host") in self._hosts and not by_a_browser

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
    """SES takes mail under a path of its own (v2), or as a form to the root (v1)."""
    if scope["path"].startswith("/v2/email/outbound"):
        return True
    return scope["path"] == "/" and b"x-amz-target" not in dict(scope["headers"])


def _can_change_state(scope: AsgiScope) -> bool:
    target = dict(scope["headers"]).get(b"x-amz-target", b"").decode("latin-1")
    if target:
        return not target.rpartition(".")[2].startswith(READING_VERBS)
    return scope["method"] not in {"GET", "HEAD"}


async def _send_refusal(scope: AsgiScope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": 403, "headers": []})
    await send({"type": "http.response.body", "body": b""})
