"""What our own calls of AWS send with: botocore's signer and HTTP session, with what its clients add to them."""

from datetime import timedelta
from functools import cache
from socket import IPPROTO_TCP, TCP_NODELAY
from ssl import SSLContext
from threading import Lock
from typing import Any

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import get_current_datetime
from botocore.httpsession import URLLib3Session, create_urllib3_context, get_cert_path
from botocore.utils import get_environ_proxies

from chalicelib.aws_responses import CONNECT_S, MAX_CONNECTIONS, READ_S
from chalicelib.settings import DirectEndpoint


def read_clock() -> Any:
    """The time with which botocore signs."""
    return get_current_datetime(remove_tzinfo=False)


class Signer(SigV4Auth):
    """Signs with the clock of the service, if ours is wrong."""

    clock_difference = timedelta(0)

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        if self.clock_difference:
            request.context["timestamp"] = (read_clock() + self.clock_difference).strftime(SIGV4_TIMESTAMP)
        super()._modify_request_before_signing(request)  # type: ignore[misc] # The stubs leave it out.


class DirectSession(URLLib3Session):
    """Reads the certificates that are trusted once. Botocore's reads them for each connection: 16 ms of CPU each."""

    def __init__(self, endpoint: DirectEndpoint) -> None:
        trusted: Any = endpoint.ca_bundle or True
        self._certificates = get_cert_path(trusted)
        # The stubs know neither a file of certificates, nor two limits, nor options that are numbers.
        options: Any = {
            "verify": self._certificates,
            "timeout": (CONNECT_S, READ_S),
            # Otherwise the body waits until the other side has confirmed the headers: up to 40 ms for each call.
            "socket_options": [(IPPROTO_TCP, TCP_NODELAY, 1)],
        }
        super().__init__(proxies=get_environ_proxies(endpoint.url), max_pool_connections=MAX_CONNECTIONS, **options)

    def _get_ssl_context(self) -> SSLContext:
        return _get_tls_context(self._certificates)

    def _setup_ssl_cert(self, conn: Any, url: str, verify: Any) -> None:
        super()._setup_ssl_cert(conn, url, verify)  # type: ignore[misc] # The stubs leave it out.
        # A proxy that is reached over TLS needs them, too.
        if conn.ca_certs and not (conn.proxy and conn.proxy.scheme == "https"):
            with _reading_certificates:
                _read_certificates(conn.ca_certs)
            conn.ca_certs = None


_reading_certificates = Lock()


@cache
def _get_tls_context(path: str) -> SSLContext:  # noqa: ARG001 one for each file of certificates
    context: SSLContext = create_urllib3_context()
    return context


@cache
def _read_certificates(path: str) -> None:
    """Read them when the first connection needs them; over plain HTTP none does."""
    _get_tls_context(path).load_verify_locations(path)
