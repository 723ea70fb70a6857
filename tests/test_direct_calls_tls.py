"""Direct calls over TLS: they trust what botocore's clients trust, and read it once."""

import ssl
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace

import pytest
from botocore import endpoint
from botocore.exceptions import SSLError

from chalicelib import clients, direct_calls
from tests.support.certificates import TestAuthority

KINDS = {"direct": clients.create_aws_client, "botocore": clients.create_sdk_client}
GET = {"TableName": "t", "Key": {"k": {"S": "one"}}}


class _EmptyAnswers(BaseHTTPRequestHandler):
    """Answers each request with no item, and closes the connection."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        """Write nothing."""


@contextmanager
def serve(context):
    """Serve over TLS on the loopback address, and return the port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _EmptyAnswers) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign] # A client that refuses it closes.
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A service whose authority this process trusts, and its port."""
    authority = TestAuthority()
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(authority.pem)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(trusted))
    for pauses in (direct_calls, endpoint):
        monkeypatch.setattr(pauses, "time", SimpleNamespace(sleep=lambda _seconds: None))
    with serve(authority.build_server_context(tmp_path)) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://127.0.0.1:{port}")
        yield port


@pytest.fixture
def read_files(monkeypatch):
    """The files of certificates that were read."""
    read = []
    load = ssl.SSLContext.load_verify_locations

    def keep(context, cafile=None, capath=None, cadata=None):
        read.append(cafile)
        return load(context, cafile, capath, cadata)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", keep)
    return read


@pytest.mark.parametrize("kind", KINDS)
def test_a_service_with_a_trusted_certificate_is_called(site, kind):
    """`AWS_CA_BUNDLE` names the certificates."""
    assert KINDS[kind]("dynamodb").get_item(**GET).get("Item") is None


@pytest.mark.parametrize("kind", KINDS)
def test_another_authority_is_not_trusted(site, kind, tmp_path, monkeypatch):
    """Nothing is sent to it."""
    other = tmp_path / "other.pem"
    other.write_text(TestAuthority().pem)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(other))

    with pytest.raises(SSLError, match="certificate verify failed"):
        KINDS[kind]("dynamodb").get_item(**GET)


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_of_another_host_is_refused(site, kind, monkeypatch):
    """It names 127.0.0.1 only."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://localhost:{site}")

    with pytest.raises(SSLError, match="localhost"):
        KINDS[kind]("dynamodb").get_item(**GET)


@pytest.mark.parametrize(("kind", "times"), [("direct", 1), ("botocore", 3)])
def test_certificates_are_read_once_for_all_connections(site, read_files, kind, times):
    """Also for those of another service. Botocore reads them for each connection, which takes 16 ms of CPU."""
    client = KINDS[kind]("dynamodb")
    client.get_item(**GET)
    client.get_item(**GET)
    KINDS[kind]("dynamodb").get_item(**GET)

    assert len(read_files) == times
