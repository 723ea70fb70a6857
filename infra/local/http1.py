"""Reads HTTP/1.1 requests from a socket, strictly, and writes the answers.

What is doubtful is refused, never guessed: a request that two readers could understand in two
ways (two lengths, a folded header, a bare newline) is how one gets past a check.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import formatdate
from http import HTTPStatus
from io import BufferedIOBase
from typing import TypeAlias

# API Gateway's limit for the request line and the headers of a REST API, and Lambda's for what
# it is handed. Source: AWS, "Amazon API Gateway quotas" and "Lambda quotas", from memory.
MAX_HEAD_BYTES = 10_240
MAX_BODY_BYTES = 6 * 1024 * 1024

_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) (/[!-~]*) HTTP/1\.([01])\r\n")
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*\r\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,7})[ \t]*(?:;[\t -~]*)?\r\n")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


Headers: TypeAlias = tuple[tuple[str, str], ...]


class RequestRejectedError(Exception):
    """A request that goes no further."""

    def __init__(self, status: int, code: str) -> None:
        """Say the HTTP status and the stable code of the problem."""
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request as it was sent: nothing decoded, nothing normalised."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    peer: str
    keeps_alive: bool

    def get_header(self, name: str) -> str:
        """The last header of that name, whatever its case; empty if there is none."""
        return next((v for k, v in reversed(self.headers) if k.lower() == name), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """An answer; length, date and connection headers are added as it is written."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def encode(self, *, keeps_alive: bool, with_body: bool = True) -> bytes:
        """The bytes to send."""
        reason = HTTPStatus(self.status).phrase if self.status in set(HTTPStatus) else "Unknown"
        lines = [
            f"HTTP/1.1 {self.status} {reason}",
            # A newline in a value would end the header, and begin one that nobody meant.
            *(f"{name}: {' '.join(value.split())}" for name, value in self.headers),
            f"Date: {formatdate(usegmt=True)}",
            f"Content-Length: {len(self.body)}",
            f"Connection: {'keep-alive' if keeps_alive else 'close'}",
        ]
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        return head + self.body if with_body else head


def read_request(
    source: BufferedIOBase, *, peer: str, hosts: frozenset[str], say_continue: Callable[[], None]
) -> HttpRequest | None:
    """Read one request.

    Args:
        source: The connection, buffered.
        peer: The address of the other side.
        hosts: The only names by which this server is asked. A page of somebody else's can make
            a browser send requests here under a name of its own (DNS rebinding).
        say_continue: Called where the sender waits for leave to send a body.

    Returns:
        The request, or None where the connection ended before one began.

    Raises:
        RefusedError: it is not one that is answered; the connection must be closed after it.
    """
    lines = _read_head(source)
    if not lines:
        return None
    request_line = _REQUEST_LINE.fullmatch(lines[0])
    if not request_line:
        raise RequestRejectedError(400, "malformed")
    method, target, minor = (part.decode("ascii") for part in request_line.groups())
    if "#" in target or _BROKEN_ESCAPE.search(target):
        raise RequestRejectedError(400, "malformed")
    headers = tuple(_parse_header(line) for line in lines[1:])
    path, _, query = target.partition("?")
    request = HttpRequest(
        method=method,
        path=path,
        query=query,
        headers=headers,
        body=b"",
        peer=peer,
        keeps_alive=minor == "1" and _get_single_header(headers, "connection").lower() != "close",
    )
    if _get_single_header(headers, "host") not in hosts:
        raise RequestRejectedError(403, "host_not_allowed")
    return _read_body(request, source, say_continue)


def _read_head(source: BufferedIOBase) -> list[bytes]:
    """The request line and the header lines; nothing where the connection ended first."""
    lines: list[bytes] = []
    left = MAX_HEAD_BYTES
    while (line := source.readline(left + 1)) != b"\r\n":
        left -= len(line)
        if left < 0:
            raise RequestRejectedError(431, "headers_too_large")
        if line.endswith(b"\n") and not line.endswith(b"\r\n"):
            raise RequestRejectedError(400, "malformed")
        if not line.endswith(b"\n"):
            return []
        lines.append(line)
    if not lines:  # A stray newline where a request should begin.
        raise RequestRejectedError(400, "malformed")
    return lines


def _parse_header(line: bytes) -> tuple[str, str]:
    match = _HEADER.fullmatch(line)
    if not match:
        raise RequestRejectedError(400, "malformed")
    return match[1].decode("ascii"), match[2].decode("latin-1")


def _get_single_header(headers: Headers, name: str) -> str:
    """The value of a header that may stand there once; empty if it does not."""
    values = [value for key, value in headers if key.lower() == name]
    if len(values) > 1:
        raise RequestRejectedError(400, "malformed")
    return values[0] if values else ""


def _read_body(request: HttpRequest, source: BufferedIOBase, say_continue: Callable[[], None]) -> HttpRequest:
    length = _get_single_header(request.headers, "content-length")
    encoding = _get_single_header(request.headers, "transfer-encoding").lower()
    if (length and encoding) or encoding not in {"", "chunked"} or not _is_number(length or "0"):
        raise RequestRejectedError(400, "malformed")
    if int(length or 0) > MAX_BODY_BYTES:
        raise RequestRejectedError(413, "too_large")
    expectation = _get_single_header(request.headers, "expect").lower()
    if expectation not in {"", "100-continue"}:
        raise RequestRejectedError(417, "expectation_failed")
    if expectation and (encoding or int(length or 0)):
        say_continue()
    body = b"".join(_read_chunks(source)) if encoding else _read_exactly(source, int(length or 0))
    return replace(request, body=body)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12


def _read_exactly(source: BufferedIOBase, count: int) -> bytes:
    data = source.read(count)
    if len(data) < count:
        raise RequestRejectedError(400, "malformed")
    return data


def _read_chunks(source: BufferedIOBase) -> Iterator[bytes]:
    left = MAX_BODY_BYTES
    while True:
        size_line = _CHUNK.fullmatch(source.readline(256))
        if not size_line:
            raise RequestRejectedError(400, "malformed")
        size = int(size_line[1], 16)
        left -= size
        if left < 0:
            raise RequestRejectedError(413, "too_large")
        if size == 0:
            break
        yield _read_exactly(source, size)
        if _read_exactly(source, 2) != b"\r\n":
            raise RequestRejectedError(400, "malformed")
    # What may follow are trailers. Nobody here asks for one.
    while (line := source.readline(1024)) != b"\r\n":
        left -= 1024
        if left < 0 or not _HEADER.fullmatch(line):
            raise RequestRejectedError(400, "malformed")
