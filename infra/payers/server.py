"""The simulated payers as a server on loopback."""

import contextlib
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from infra.payers import core
from infra.payers.clearinghouse import read_json_inquiry, write_json_answer
from infra.payers.members import DOWN, GARBAGE, SLOW, UNABLE, Inquiry, PlanAnswer, answer_inquiry
from infra.payers.x12 import BadInquiryError, ReceivedInquiry, read_inquiry, write_271, write_999

HOST = "127.0.0.1"
LOGIN = ("CARTHUB", "local-payer-password")
AUTHORIZATION = "Bearer local-clearing-house-token"
SLOW_S = 22.0
"""The slowest answer that is still within the time limit of 25 seconds."""

MAX_REQUEST_BYTES = 64 * 1024
GARBAGE_KINDS = ("html", "empty", "truncated", "other_trace", "oversized")
_OVERSIZED_BYTES = 300 * 1024


class _ConnectionDroppedError(Exception):
    """The payer closes the connection without an answer."""


@dataclass(kw_only=True)
class Behavior:
    """What tests can set.

    Attributes:
        slow_s: How long XEX0008 takes, in seconds.
        refused_attempts: How often XEX0009 gets no answer at all, counted for all formats together.
        unable_attempts: How often XEX0009 is then answered "unable to respond"; None for ever.
        plan: Replaces the answer for any member, if set.
        raw: Replaces the body of any answer, if set.
        status: The HTTP status of `raw`.
    """

    slow_s: float = SLOW_S
    refused_attempts: int = 2
    unable_attempts: int | None = None
    plan: PlanAnswer | None = None
    raw: bytes | None = None
    status: int = 200


@dataclass(kw_only=True)
class Recorder:
    """What the payers received: for tests, in this process only. It is never written anywhere."""

    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)


class PayerSimulator:
    """A running server with simulated payers."""

    def __init__(
        self,
        port: int = 0,
        *,
        behavior: Behavior | None = None,
        login: tuple[str, str] | None = LOGIN,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen on a port of loopback; 0 chooses a free one.

        Args:
            behavior: What the payers do; can be changed later.
            login: The only name and password of `/core`; None if a client certificate identifies callers.
            tls: Serve HTTPS with this context.
        """
        self.behavior = behavior or Behavior()
        self.received = Recorder()
        self._stopping = threading.Event()
        self._lock = threading.Condition()
        self._server = _Server((HOST, port), _Handler)
        self._server.simulator = self
        self._login = login
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://{HOST}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        """Start to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop at once; a slow answer ends without a body."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_for_requests(self, number: int, *, timeout_s: float = 30) -> bool:
        """Wait until so many requests have arrived; return whether they have."""
        with self._lock:
            return self._lock.wait_for(lambda: len(self.received.requests) >= number, timeout_s)

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        """Answer one request: status, media type, body."""
        with self._lock:
            self.received.requests.append((path, headers, body))
            self._lock.notify_all()
        if self.behavior.raw is not None:
            return self.behavior.status, "application/octet-stream", self.behavior.raw
        if path == "/core":
            return self._answer_core(body.decode("utf-8", "replace"))
        if path == "/json":
            return self._answer_json(headers, body)
        return 404, "text/plain", b"not found"

    def _answer_core(self, message: str) -> tuple[int, str, bytes]:
        media_type = "application/soap+xml; charset=utf-8"
        error = core.find_error(message, login=self._login)
        if error:
            reply = core.write_reply(message, payload_type="CoreEnvelopeError", payload="", error=error)
            return 200, media_type, reply.encode()
        payload_type, payload = "X12_271_Response_005010X279A1", ""
        try:
            parsed, inquiry = read_inquiry(core.read_field(message, "Payload") or "")
        except BadInquiryError:
            payload_type, payload = "X12_999_Response_005010X231A1", self._refuse_x12(message)
        else:
            garbage = self._count(inquiry)
            if garbage in {"html", "empty"}:
                return _build_garbage(garbage)
            trace = "SOMEONEELSE" if garbage == "other_trace" else None
            payload = write_271(parsed, inquiry, self._find_plan(inquiry), trace=trace)
            payload = _spoil(payload, garbage)
        return 200, media_type, core.write_reply(message, payload_type=payload_type, payload=payload).encode()

    def _refuse_x12(self, message: str) -> str:
        try:
            return write_999(ReceivedInquiry(core.read_field(message, "Payload") or ""))
        except BadInquiryError:
            return ""

    def _answer_json(self, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        if headers.get("authorization") != AUTHORIZATION:
            return 401, "application/json", b'{"message": "unauthorized"}'
        try:
            inquiry = read_json_inquiry(body)
        except BadInquiryError:
            return 400, "application/json", b'{"message": "bad request"}'
        garbage = self._count(inquiry)
        if garbage in {"html", "empty"}:
            return _build_garbage(garbage)
        trace = "999999999" if garbage == "other_trace" else None
        answer = write_json_answer(inquiry, self._find_plan(inquiry), trace=trace)
        return 200, "application/json", _spoil(answer.decode(), garbage).encode()

    def _count(self, inquiry: Inquiry) -> str | None:
        """Count an attempt, wait or drop the connection as this member demands, and choose the garbage."""
        with self._lock:
            self.received.attempts[inquiry.member_id] += 1
            attempts = self.received.attempts[inquiry.member_id]
        if inquiry.member_id == DOWN and attempts <= self.behavior.refused_attempts:
            raise _ConnectionDroppedError
        if inquiry.member_id == SLOW and self._stopping.wait(self.behavior.slow_s):
            raise _ConnectionDroppedError
        return GARBAGE_KINDS[(attempts - 1) % len(GARBAGE_KINDS)] if inquiry.member_id == GARBAGE else None

    def _find_plan(self, inquiry: Inquiry) -> PlanAnswer:
        if self.behavior.plan:
            return self.behavior.plan
        unable = self.behavior.unable_attempts
        attempts = self.received.attempts[DOWN] - self.behavior.refused_attempts
        if inquiry.member_id == DOWN and (unable is None or attempts <= unable):
            return UNABLE
        return answer_inquiry(inquiry)


def _build_garbage(kind: str) -> tuple[int, str, bytes]:
    """Build an answer with status 200 that is none."""
    body = b"<html><body><h1>We will be back soon</h1></body></html>" if kind == "html" else b""
    return 200, "text/html", body


def _spoil(text: str, garbage: str | None) -> str:
    if garbage == "truncated":
        return text[: len(text) * 6 // 10]
    if garbage == "oversized":
        return text + " " * _OVERSIZED_BYTES
    return text


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    simulator: PayerSimulator

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that gave up is no error of ours, and a traceback could show what was asked."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_REQUEST_BYTES:
            self.close_connection = True
            self._send(413, "text/plain", b"too large")
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            status, media_type, body = self.server.simulator.answer(self.path, headers, self.rfile.read(length))
        except _ConnectionDroppedError:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(status, media_type, body)

    def _send(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        if 300 <= status < 400:
            self.send_header("Location", f"{self.server.simulator.url}/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name in the base class
        """Write no log: requests hold health data, if only of fictional people."""


@contextlib.contextmanager
def run_simulator(
    port: int = 0,
    *,
    behavior: Behavior | None = None,
    login: tuple[str, str] | None = LOGIN,
    tls: ssl.SSLContext | None = None,
) -> Iterator[PayerSimulator]:
    """Run simulated payers during the block."""
    simulator = PayerSimulator(port, behavior=behavior, login=login, tls=tls)
    simulator.start()
    try:
        yield simulator
    finally:
        simulator.stop()
