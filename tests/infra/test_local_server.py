"""The HTTP server of a local run: it is strict, and stops cleanly."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.local import server as server_module
from infra.local.http1 import MAX_BODY_BYTES, MAX_HEAD_BYTES, HttpResponse
from infra.local.server import HttpServer, PortInUseError

TIMEOUT_S = 60
"""Ends a test that would hang. No test waits this long on a busy machine."""


class FakeHandler:
    """Responds with the path and the body of the request. A request for /slow waits until `release` is set."""

    def __init__(self):
        self.release = threading.Event()
        self.requests = []

    def answer(self, request):
        self.requests.append(request)
        if request.path == "/slow":
            self.release.wait(TIMEOUT_S)
        return HttpResponse(status=200, body=request.path.encode() + b"|" + request.body)

    def answer_rejected(self, error):
        return HttpResponse(status=error.status, body=error.code.encode())


@pytest.fixture
def handler():
    return FakeHandler()


@pytest.fixture
def server(handler):
    server = HttpServer(0)
    server.start(handler)
    yield server
    handler.release.set()
    server.stop()


def connect(server):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def exchange(server, sent):
    """Send bytes, and return everything that the server sends until it closes the connection."""
    with connect(server) as connection:
        connection.sendall(sent.replace(b"HOST", f"Host: 127.0.0.1:{server.port}".encode()))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def parse_status(response):
    return int(response.split(b" ", 2)[1])


def test_the_server_listens_on_loopback_only(server):
    assert server._listener.getsockname()[0] == "127.0.0.1"


def test_a_used_port_is_reported_with_a_solution(server):
    with pytest.raises(PortInUseError, match=rf"Port {server.port} is in use\. .* set PORT"):
        HttpServer(server.port)


def test_a_request_gets_a_response_with_its_length_and_keeps_the_connection(server):
    response = exchange(server, b"POST /v1/x HTTP/1.1\r\nHOST\r\nContent-Length: 2\r\n\r\nhi")

    assert response.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 8\r\n" in response
    assert b"Connection: keep-alive\r\n" in response
    assert response.endswith(b"\r\n\r\n/v1/x|hi")


def test_requests_on_one_connection_are_answered_in_order(server):
    """This also applies if the second request arrives before the first response is sent."""
    response = exchange(server, b"GET /a HTTP/1.1\r\nHOST\r\n\r\nGET /b HTTP/1.1\r\nHOST\r\n\r\n")

    assert response.count(b"HTTP/1.1 200") == 2
    assert response.index(b"/a|") < response.index(b"/b|")


def test_the_path_is_not_decoded_or_normalized(server, handler):
    exchange(server, b"GET /a%2Fb/../%2e%2e//c?x=%2F HTTP/1.1\r\nHOST\r\n\r\n")

    assert (handler.requests[0].path, handler.requests[0].query) == ("/a%2Fb/../%2e%2e//c", "x=%2F")


def test_the_chunks_of_a_body_are_joined(server):
    """A center's system that does not know the length in advance sends chunks."""
    chunks = b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: 1\r\n\r\n"
    response = exchange(server, b"POST / HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)

    assert response.endswith(b"/|abcdefg")


def test_no_request_is_accepted_after_a_chunked_body(server, handler):
    """Two programs could disagree about its end, and so about the start of the next request."""
    head = b"POST / HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n"
    response = exchange(server, head + b"0\r\n\nGET /hidden HTTP/1.1\r\nHOST\r\n\r\n")

    assert b"Connection: close\r\n" in response
    assert [request.path for request in handler.requests] == ["/"]


@pytest.mark.parametrize(
    "host", [b"evil.example", b"127.0.0.1", b"127.0.0.1:1", b"[::1]:8000", b"127.0.0.1.evil.example"]
)
def test_a_request_for_another_host_is_rejected(server, handler, host):
    """A web page can make its own host name point to this machine (DNS rebinding)."""
    response = exchange(server, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")

    assert parse_status(response) == 403
    assert handler.requests == []


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/2.0\r\nHOST\r\n\r\n",
        b"get / HTTP/1.1\r\nHOST\r\n\r\n",
        b"GET http://127.0.0.1/ HTTP/1.1\r\nHOST\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHOST\r\n\r\n",
        b"GET /a#b HTTP/1.1\r\nHOST\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\nHOST\r\n\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\nHOST\r\n\r\n",
        b"GET / HTTP/1.1\nHOST\n\n",
        b"GET / HTTP/1.1\r\nHOST\r\nHOST\r\n\r\n",
        b"GET / HTTP/1.1\r\nHOST\r\nX-Folded: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHOST\r\nNo colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHOST\r\nSpace : 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHOST\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHOST\r\nX: a\rb\r\n\r\n",
        b"POST / HTTP/1.1\r\nHOST\r\nContent-Length:\r\n\r\nhi",
        b"POST / HTTP/1.1\r\nHOST\r\nContent-Length: +2\r\n\r\nhi",
        b"POST / HTTP/1.1\r\nHOST\r\nContent-Length: 2, 2\r\n\r\nhi",
        b"POST / HTTP/1.1\r\nHOST\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
        b"POST / HTTP/1.1\r\nHOST\r\nContent-Length: 9\r\n\r\nhi",
        b"POST / HTTP/1.1\r\nHOST\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHOST\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"POST / HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_an_ambiguous_request_is_rejected_and_closes_the_connection(server, handler, sent):
    response = exchange(server, sent)

    assert parse_status(response) == 400
    assert b"Connection: close\r\n" in response
    assert handler.requests == []


def test_headers_that_are_too_long_are_rejected(server):
    """The limit of API Gateway is 10,240 bytes, including the request line."""
    head = b"GET / HTTP/1.1\r\nHOST\r\nX-Long: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n"

    assert parse_status(exchange(server, head)) == 431


def test_a_body_over_6_mib_is_rejected_without_reading_it(server, handler):
    """The client gets the response even if it is still sending."""
    size = MAX_BODY_BYTES + 1
    head = f"POST / HTTP/1.1\r\nHOST\r\nContent-Length: {size}\r\n\r\n".encode()

    assert parse_status(exchange(server, head + b"x" * size)) == 413
    assert handler.requests == []


def test_a_chunked_body_over_6_mib_is_rejected(server, handler):
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    head = b"POST / HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert parse_status(exchange(server, head + chunk * 7)) == 413
    assert handler.requests == []


def test_a_client_that_expects_100_continue_gets_it(server):
    """For example, curl expects it before it sends a larger body."""
    host = f"Host: 127.0.0.1:{server.port}".encode()
    with connect(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n" + host + b"\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")

        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hi")
        assert parse_status(connection.recv(65_536)) == 200


def test_a_newline_in_a_response_header_does_not_start_another_header(server, handler):
    handler.answer = lambda _: HttpResponse(status=200, headers=(("Location", "/a\r\nSet-Cookie: b=c"),))

    response = exchange(server, b"GET / HTTP/1.1\r\nHOST\r\n\r\n")
    assert b"\r\nLocation: /a Set-Cookie: b=c\r\n" in response


def test_a_head_request_gets_the_headers_of_a_get_request_without_a_body(server):
    response = exchange(server, b"HEAD /v1/x HTTP/1.1\r\nHOST\r\n\r\nGET /b HTTP/1.1\r\nHOST\r\n\r\n")

    head, _, rest = response.partition(b"\r\n\r\n")
    assert b"Content-Length: 6" in head
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "request_head", [b"GET / HTTP/1.0\r\nHOST\r\n\r\n", b"GET / HTTP/1.1\r\nHOST\r\nConnection: close\r\n\r\n"]
)
def test_the_response_shows_that_the_connection_closes(server, request_head):
    """It closes for HTTP/1.0, and if the client requests it."""
    assert b"Connection: close\r\n" in exchange(server, request_head)


def test_requests_are_answered_concurrently(server, handler):
    """All 20 requests wait for the last one."""
    all_arrived = threading.Barrier(20, timeout=TIMEOUT_S)
    handler.answer = lambda _: HttpResponse(status=200, body=b"%d" % all_arrived.wait())

    with ThreadPoolExecutor(20) as clients:
        responses = list(clients.map(lambda _: exchange(server, b"GET / HTTP/1.1\r\nHOST\r\n\r\n"), range(20)))

    assert [parse_status(response) for response in responses] == [200] * 20


def test_a_slow_client_is_disconnected(server, monkeypatch):
    """It must not block a thread."""
    monkeypatch.setattr(server_module, "READ_TIMEOUT_S", 0.1)
    with connect(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")

        assert connection.recv(1) == b""


def test_a_clean_stop_finishes_the_request_in_progress(server, handler):
    """The client gets its response, and then the connection closes."""
    with connect(server) as connection:
        connection.sendall(f"GET /slow HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode())
        while not handler.requests:
            time.sleep(0.01)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        while not server.stopping:
            time.sleep(0.01)
        handler.release.set()

        assert b"Connection: close\r\n" in connection.recv(65_536)
        stopping.join(TIMEOUT_S)
        assert not stopping.is_alive()


def test_a_clean_stop_does_not_wait_for_idle_connections(server):
    """A browser keeps connections open for later requests."""
    with connect(server):
        server.stop()

        assert server._connections == set()
