"""One HTTP request to a payer: with time and size limits, without redirects, proxies or any log.

Source:
    Limits: the design of the benefits check. A payer answers within 20 seconds for 90% of requests
    (CAQH CORE rule 156), and 60 seconds is the guide's own limit.
"""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from socket import SHUT_RDWR
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from chalicelib.domain.coverage.rows import AttemptFailure, FailureKind
from chalicelib.domain.coverage.x12_envelope import MAX_BYTES
from chalicelib.services.coverage.payer_secrets import CredentialsError, PayerCredentials

CONNECT_S = 3.0
READ_S = 25.0
"""From the first byte sent to the last byte received."""

MAX_REPLY_BYTES = MAX_BYTES + 16 * 1024
"""The largest interchange and an envelope around it."""

_RETRY_STATUSES = frozenset({408, 423, 425, 429})
_SET_UP_STATUSES = frozenset({401, 403, 404, 405, 407, 410, 421, 495, 496})

_UNREACHABLE = "The payer cannot be reached. We keep trying."
_NO_ANSWER = "The payer did not answer in time. We keep trying."
_NOT_UNDERSTOOD = "The payer's answer could not be read. We keep trying."
_BROKEN_SET_UP = "The connection to this payer must be set up again. Until then, call the payer."
_OUR_MISTAKE = "The payer could not read our request. We have been notified."


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The time limits of a request, in seconds."""

    connect_s: float = CONNECT_S
    read_s: float = READ_S


DEFAULT_LIMITS = HttpLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """What came back.

    Attributes:
        body: As received, at most `MAX_REPLY_BYTES`.
        failure: Why the body is no answer; None if it can be read.
    """

    status: int = 0
    body: bytes = field(default=b"", repr=False)
    failure: AttemptFailure | None = None


def send_post(
    address: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    credentials: PayerCredentials,
    limits: HttpLimits = DEFAULT_LIMITS,
) -> HttpReply:
    """Send a POST and read the reply.

    Args:
        address: From the configuration alone.
        body: The request.
        headers: Without credentials.
        credentials: Their header and certificate are used here.
        limits: Of the time.
    """
    sent_headers = {"Accept-Encoding": "identity", "Connection": "close", "User-Agent": "cart-referrals", **headers}
    if credentials.authorization:
        sent_headers["Authorization"] = credentials.authorization
    try:
        connection = _open_connection(address, credentials, limits)
    except CredentialsError:
        return _fail(FailureKind.SET_UP, "client_certificate", _BROKEN_SET_UP)
    except TimeoutError:
        return _fail(FailureKind.RETRY, "connect_timeout", _UNREACHABLE)
    except ssl.SSLCertVerificationError:
        return _fail(FailureKind.SET_UP, "certificate", _BROKEN_SET_UP)
    except ssl.SSLError as error:
        return _describe_tls_error(error)
    except OSError:
        return _fail(FailureKind.RETRY, "unreachable", _UNREACHABLE)
    try:
        return _exchange(connection, address, body, sent_headers, limits)
    finally:
        connection.close()


def _open_connection(address: str, credentials: PayerCredentials, limits: HttpLimits) -> HTTPConnection:
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme == "https":
        connection: HTTPConnection = HTTPSConnection(
            host, parts.port, timeout=limits.connect_s, context=_build_tls_context(credentials)
        )
    else:
        connection = HTTPConnection(host, parts.port, timeout=limits.connect_s)
    try:
        connection.connect()
    except BaseException:
        connection.close()
        raise
    return connection


def _build_tls_context(credentials: PayerCredentials) -> ssl.SSLContext:
    """Build a context that verifies the payer, and shows our certificate if we have one.

    Raises:
        CredentialsError: a certificate or key cannot be used.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if credentials.trusted_ca:
            context.load_verify_locations(cadata=credentials.trusted_ca)
        if credentials.certificate and credentials.private_key:
            _load_client_certificate(context, credentials.certificate, credentials.private_key)
    except (ssl.SSLError, ValueError):
        raise CredentialsError("the certificate or its key cannot be used") from None
    return context


def _load_client_certificate(context: ssl.SSLContext, certificate: str, private_key: str) -> None:
    """Load a client certificate. OpenSSL reads it only from a file, which exists only here."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "client.pem"
        path.touch(mode=0o600)
        path.write_text(f"{certificate}\n{private_key}\n")
        context.load_cert_chain(path, password=lambda: "")


def _exchange(
    connection: HTTPConnection, address: str, body: bytes, headers: Mapping[str, str], limits: HttpLimits
) -> HttpReply:
    parts = urlsplit(address)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.sock.settimeout(limits.read_s)
    try:
        with _limit_duration(connection, limits.read_s) as expired:
            connection.request("POST", target, body=body, headers=dict(headers))
            response = connection.getresponse()
            received = response.read(MAX_REPLY_BYTES + 1)
    except ssl.SSLError as error:
        return _fail(FailureKind.RETRY, "timeout", _NO_ANSWER) if expired.is_set() else _describe_tls_error(error)
    except (HTTPException, OSError) as error:
        if expired.is_set() or isinstance(error, TimeoutError):
            return _fail(FailureKind.RETRY, "timeout", _NO_ANSWER)
        return _fail(FailureKind.RETRY, "connection_lost", _UNREACHABLE)
    if expired.is_set():
        # A read that ended because we closed the connection is not the whole answer.
        return _fail(FailureKind.RETRY, "timeout", _NO_ANSWER, body=received[:MAX_REPLY_BYTES])
    return _check_reply(response, received)


@contextmanager
def _limit_duration(connection: HTTPConnection, seconds: float) -> Iterator[threading.Event]:
    """Close the connection after a time, however slowly bytes still arrive.

    A socket's own timeout starts again with each byte.
    """
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        if connection.sock:
            try:
                connection.sock.shutdown(SHUT_RDWR)
            except OSError:
                return  # It was closed in this moment.

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()


def _check_reply(response: HTTPResponse, received: bytes) -> HttpReply:
    status = response.status
    body = received[:MAX_REPLY_BYTES]
    if len(received) > MAX_REPLY_BYTES:
        return _fail(FailureKind.RETRY, "too_large", _NOT_UNDERSTOOD, status=status, body=body)
    if response.length:
        # `read` with a limit says nothing about a body that ends too early.
        return _fail(FailureKind.RETRY, "connection_lost", _UNREACHABLE, status=status, body=body)
    if (response.headers.get("Content-Encoding") or "identity").lower() != "identity":
        return _fail(FailureKind.RETRY, "encoded", _NOT_UNDERSTOOD, status=status, body=body)
    if status == 200:
        return HttpReply(status=status, body=body)
    kind, sentence = _sort_status(status)
    return _fail(kind, f"http_{status}", sentence, status=status, body=body)


def _sort_status(status: int) -> tuple[FailureKind, str]:
    """Sort a status by who has to act. A redirect is not followed: only the operator names addresses."""
    if status in _SET_UP_STATUSES or 300 <= status < 400:
        return FailureKind.SET_UP, _BROKEN_SET_UP
    if 400 <= status < 500 and status not in _RETRY_STATUSES:
        return FailureKind.OURS, _OUR_MISTAKE
    return FailureKind.RETRY, _NOT_UNDERSTOOD if status < 300 else _UNREACHABLE


def _describe_tls_error(error: ssl.SSLError) -> HttpReply:
    """Sort an error of TLS: a lost connection is tried again, and a refused certificate is not."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return _fail(FailureKind.RETRY, "connection_lost", _UNREACHABLE)
    return _fail(FailureKind.SET_UP, "tls", _BROKEN_SET_UP)


def _fail(kind: FailureKind, reason: str, sentence: str, *, status: int = 0, body: bytes = b"") -> HttpReply:
    failure = AttemptFailure(kind=kind, reason=reason, sentence=sentence)
    return HttpReply(status=status, body=body, failure=failure)
