"""The shortest connection from the SDK to a local cloud.

About four tenths of the caller's processor time go into a signature, which the local cloud does
not check, and into an HTTP client that can do more than is needed here. Requests, responses and
the SDK's own retries stay as they are.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import local
from typing import Any, BinaryIO, cast
from unittest.mock import patch
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session
from botocore.signers import RequestSigner
from urllib3.util.wait import wait_for_read

TIMEOUT_S = 30
"""Longer than the product's own, because on a busy machine a slow answer is not a fault."""

_LINE = 65_536
_NO_CONTENT = b"204"


class _Connection:
    """A connection to one address, kept open."""

    def __init__(self, address: str) -> None:
        self.address = address
        host, _, port = address.partition(":")
        self._socket = socket.create_connection((host, int(port)), TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers: BinaryIO = self._socket.makefile("rb")
        self._is_last = False

    @property
    def is_over(self) -> bool:
        """Whether the other side closes it: after so many responses, or when it was idle for long."""
        return self._is_last or wait_for_read(self._socket, timeout=0)

    def close(self) -> None:
        self._answers.close()
        self._socket.close()

    def asked(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Return the status, the headers and the body of the response to a request."""
        self._socket.sendall(request)
        status = self._answers.readline(_LINE).split(b" ", 2)
        headers: dict[str, str] = {}
        while line := self._answers.readline(_LINE).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        self._is_last = headers.get("connection") == "close"
        if status[1:2] == [_NO_CONTENT]:
            return int(_NO_CONTENT), headers, b""
        if len(status) < 2 or "content-length" not in headers:
            raise ConnectionError(f"{self.address} does not answer as the local cloud does: {status} {sorted(headers)}")
        return int(status[1]), headers, self._answers.read(int(headers["content-length"]))


class _Connections(local):
    """The connection of each thread."""

    kept: _Connection | None = None

    def __init__(self, opened: list[_Connection]) -> None:
        """Record each in `opened`, so that the code that ends the threads can close them."""
        self.opened = opened

    def to(self, address: str) -> _Connection:
        """Return the open connection, or a new one."""
        if self.kept is None or self.kept.address != address or self.kept.is_over:
            self.kept = _Connection(address)
            self.opened.append(self.kept)
        return self.kept


class _Body(BytesIO):
    """A body as the SDK reads one."""

    def stream(self) -> Iterator[bytes]:
        yield self.getvalue()


@contextmanager
def use_raw_transport() -> Iterator[None]:
    """Send every call of this process the shortest way: unsigned, over plain sockets."""
    opened: list[_Connection] = []
    connections = _Connections(opened)

    def sent(_session: Any, request: Any) -> AWSResponse:
        return _answered(request, connections)

    with (
        patch.object(RequestSigner, "sign", lambda *_args, **_options: None),
        patch.object(URLLib3Session, "send", sent),
    ):
        try:
            yield
        finally:
            for connection in opened:
                connection.close()


def _answered(request: Any, connections: _Connections) -> AWSResponse:
    url = urlsplit(request.url)
    query = f"?{url.query}" if url.query else ""
    lines = [f"{request.method} {url.path or '/'}{query} HTTP/1.1", f"Host: {url.netloc}"]
    # A short body is sent at once, and not after a first response that asks for it.
    lines += [f"{name}: {_text(value)}" for name, value in request.headers.items() if name.lower() != "expect"]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    body = request.body or b""
    if isinstance(body, BytesIO):
        # The SDK sends it again from its beginning if it tries again.
        body = body.getvalue()
    whole = head + (body.encode() if isinstance(body, str) else body)
    status, headers, content = connections.to(url.netloc).asked(whole)
    # Any mapping works for the headers, whatever the stubs say.
    return AWSResponse(request.url, status, cast("Any", headers), _Body(content))


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
