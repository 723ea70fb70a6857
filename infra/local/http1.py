"""Reads HTTP/1.1 requests with h11 and writes the responses.

The RFCs let a server accept some requests that two programs can understand in two ways: a bare
newline, a folded header, a second length, a length next to a chunked body. Attackers use them to
get past a check, so they are rejected here before h11 parses the request.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TypeAlias

import h11

# API Gateway's limit for the request line and the headers of a REST API, and Lambda's limit for
# its payload. Source: AWS, "Amazon API Gateway quotas" and "Lambda quotas", from memory.
MAX_HEAD_BYTES = 10_240
MAX_BODY_BYTES = 6 * 1024 * 1024

_HEAD = re.compile(rb"[A-Z]{1,20} /[!-~]* HTTP/1\.[01]\r\n(?:[!-~][^\r\n]*\r\n)+\r\n")
_BODY_LENGTH = re.compile(rb"\n(?:content-length|transfer-encoding):([^\r]*)", re.IGNORECASE)
_BAD_TARGET = re.compile(rb"#|%(?![0-9A-Fa-f]{2})")

Headers: TypeAlias = tuple[tuple[str, str], ...]


class RequestRejectedError(Exception):
    """A request that is not passed to the product."""

    def __init__(self, status: int, code: str) -> None:
        """Keep the HTTP status and the stable code of the problem."""
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request as it was sent: nothing is decoded or normalized."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    peer: str

    def get_header(self, name: str) -> str:
        """Return the last header of that name in any case, or an empty text."""
        return next((v for k, v in reversed(self.headers) if k.lower() == name), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """A response without its Date, Content-Length, and Connection headers."""

    status: int
    headers: Headers = ()
    body: bytes = b""


class HttpConnection:
    """The HTTP side of one connection. Requests are read and answered one at a time."""

    def __init__(
        self, receive: Callable[[], bytes], send: Callable[[bytes], None], *, peer: str, hosts: frozenset[str]
    ) -> None:
        """Use a connection.

        Args:
            receive: Waits for bytes. Returns no bytes when the other side has stopped sending.
            send: Sends bytes.
            peer: The address of the other side.
            hosts: The only names under which this server answers. A page of another site can make
                a browser send requests here under its own name (DNS rebinding).
        """
        self._http = h11.Connection(h11.SERVER)
        self._receive = receive
        self._send = send
        self._peer = peer
        self._hosts = hosts
        self._close = False

    def wait_for_request(self) -> bool:
        """Wait for the first byte of a request. Return False if the connection ended first."""
        return bool(self._unread) or self._receive_more()

    def read_request(self) -> HttpRequest | None:
        """Read one request. Return None if the connection ended before the end of the headers.

        Raises:
            RequestRejectedError: the connection must be closed after the response.
        """
        if not self._check_head():
            return None
        try:
            event = self._http.next_event()
            return self._read_rest(event) if isinstance(event, h11.Request) else None
        except h11.RemoteProtocolError as error:
            raise RequestRejectedError(400, "malformed") from error

    def send_response(self, response: HttpResponse, *, close: bool, with_body: bool = True) -> bool:
        """Send a response, and return whether another request may follow."""
        keep_alive = not close and not self._close and self._http.their_state is h11.DONE
        # A newline in a value would end the header and start another one.
        headers = [(name, " ".join(value.split())) for name, value in response.headers]
        headers += [
            ("Date", formatdate(usegmt=True)),
            ("Connection", "keep-alive" if keep_alive else "close"),
        ]
        # The answer to HEAD must not give the length of another body than that of GET (RFC 9110, section 8.6).
        if with_body or response.body:
            headers.append(("Content-Length", str(len(response.body))))
        encoded = [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers]
        reason = HTTPStatus(response.status).phrase if response.status in set(HTTPStatus) else "Unknown"
        parts: list[h11.Event] = [h11.Response(status_code=response.status, headers=encoded, reason=reason.encode())]
        parts += [h11.Data(data=response.body)] if with_body else []
        # Send everything at once. A second packet would wait 40 ms for the acknowledgment of the first.
        self._send(b"".join(self._http.send(part) or b"" for part in [*parts, h11.EndOfMessage()]))
        if keep_alive:
            self._http.start_next_cycle()
        return keep_alive

    @property
    def _unread(self) -> bytes:
        return self._http.trailing_data[0]

    def _receive_more(self) -> bool:
        data = self._receive()
        self._http.receive_data(data)
        return bool(data)

    def _check_head(self) -> bool:
        """Wait for all headers, and reject requests that h11 accepts but this server does not."""
        while b"\r\n\r\n" not in (head := self._unread):
            if len(head) > MAX_HEAD_BYTES:
                raise RequestRejectedError(431, "headers_too_large")
            if head.startswith(b"\r\n") or head.count(b"\n") != head.count(b"\r\n"):
                raise RequestRejectedError(400, "malformed")
            if not self._receive_more():
                return False
        head = head[: head.index(b"\r\n\r\n") + 4]
        if len(head) > MAX_HEAD_BYTES:
            raise RequestRejectedError(431, "headers_too_large")
        lengths = _BODY_LENGTH.findall(head)
        if not _HEAD.fullmatch(head) or len(lengths) > 1 or b"," in b"".join(lengths):
            raise RequestRejectedError(400, "malformed")
        return True

    def _read_rest(self, event: h11.Request) -> HttpRequest:
        """Check the headers, then read the body."""
        headers = tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in event.headers.raw_items())
        by_name = {name.lower(): value for name, value in headers}
        if _BAD_TARGET.search(event.target):
            raise RequestRejectedError(400, "malformed")
        if by_name.get("host") not in self._hosts:
            raise RequestRejectedError(403, "host_not_allowed")
        if int(by_name.get("content-length", 0)) > MAX_BODY_BYTES:
            raise RequestRejectedError(413, "too_large")
        if by_name.get("expect", "100-continue").lower() != "100-continue":
            raise RequestRejectedError(417, "expectation_failed")
        # h11 accepts a bare newline at the end of a chunked body, so no request may follow such a body.
        self._close = "transfer-encoding" in by_name
        path, _, query = event.target.decode("ascii").partition("?")
        return HttpRequest(
            method=event.method.decode("ascii"),
            path=path,
            query=query,
            headers=headers,
            body=b"".join(self._read_body()),
            peer=self._peer,
        )

    def _read_body(self) -> Iterator[bytes]:
        size = 0
        while not isinstance(event := self._http.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                size += len(event.data)
                if size > MAX_BODY_BYTES:
                    raise RequestRejectedError(413, "too_large")
                yield bytes(event.data)
                continue
            if self._http.they_are_waiting_for_100_continue:
                continue_response = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                self._send(self._http.send(continue_response) or b"")
            self._receive_more()
