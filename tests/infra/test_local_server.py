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


class Clinic:
    """Answers with what it was asked; /slow waits until it is let go."""

    def __init__(self):
        self.let_go = threading.Event()
        self.asked = []

    def answer(self, request):
        self.asked.append(request)
        if request.path == "/slow":
            self.let_go.wait(TIMEOUT_S)
        return HttpResponse(status=200, body=request.path.encode() + b"|" + request.body)

    def answer_refusal(self, error):
        return HttpResponse(status=error.status, body=error.code.encode())


@pytest.fixture
def clinic():
    return Clinic()


@pytest.fixture
def server(clinic):
    running = HttpServer(0)
    running.start(clinic)
    yield running
    clinic.let_go.set()
    running.stop()


def connected(server):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def said_to(server, sent):
    """What the server says to these bytes until it closes the connection."""
    with connected(server) as connection:
        connection.sendall(sent.replace(b"HOST", f"Host: 127.0.0.1:{server.port}".encode()))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def status_of(answer):
    return int(answer.split(b" ", 2)[1])


def test_it_listens_on_loopback_only(server):
    """No other machine can reach it."""
    assert server._listener.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_said_in_one_sentence(server):
    """The person learns what to do about it."""
    with pytest.raises(PortInUseError, match=rf"Port {server.port} is in use\. .* set PORT"):
        HttpServer(server.port)


def test_a_request_gets_its_answer(server):
    """With its length, and the connection kept."""
    answer = said_to(server, b"POST /v1/x HTTP/1.1\r\nHOST\r\nContent-Length: 2\r\n\r\nhi")

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 8\r\n" in answer
    assert b"Connection: keep-alive\r\n" in answer
    assert answer.endswith(b"\r\n\r\n/v1/x|hi")


def test_several_requests_on_one_connection_are_answered_in_turn(server):
    """Also where the second one comes before the first is answered."""
    answer = said_to(server, b"GET /a HTTP/1.1\r\nHOST\r\n\r\nGET /b HTTP/1.1\r\nHOST\r\n\r\n")

    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.index(b"/a|") < answer.index(b"/b|")


def test_the_path_arrives_as_it_was_sent(server, clinic):
    """No escape is decoded and no dot is resolved on the way."""
    said_to(server, b"GET /a%2Fb/../%2e%2e//c?x=%2F HTTP/1.1\r\nHOST\r\n\r\n")

    assert (clinic.asked[0].path, clinic.asked[0].query) == ("/a%2Fb/../%2e%2e//c", "x=%2F")


def test_a_chunked_body_is_joined(server):
    """Centers' systems that do not know the length in advance send one."""
    chunks = b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: 1\r\n\r\n"
    answer = said_to(server, b"POST / HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)

    assert answer.endswith(b"/|abcdefg")


def test_no_request_follows_a_chunked_body(server, clinic):
    """Its end could be read in two ways, and so could the start of the next request."""
    head = b"POST / HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = said_to(server, head + b"0\r\n\nGET /hidden HTTP/1.1\r\nHOST\r\n\r\n")

    assert b"Connection: close\r\n" in answer
    assert [request.path for request in clinic.asked] == ["/"]


@pytest.mark.parametrize(
    "host", [b"evil.example", b"127.0.0.1", b"127.0.0.1:1", b"[::1]:8000", b"127.0.0.1.evil.example"]
)
def test_another_name_is_refused(server, clinic, host):
    """A page that makes its own name point here (DNS rebinding) gets nothing."""
    answer = said_to(server, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")

    assert status_of(answer) == 403
    assert clinic.asked == []


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
def test_what_could_be_read_in_two_ways_is_refused(server, clinic, sent):
    """400, the connection ends, and nobody was asked."""
    answer = said_to(server, sent)

    assert status_of(answer) == 400
    assert b"Connection: close\r\n" in answer
    assert clinic.asked == []


def test_headers_have_a_limit(server):
    """API Gateway's: 10,240 bytes with the request line."""
    head = b"GET / HTTP/1.1\r\nHOST\r\nX-Long: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n"

    assert status_of(said_to(server, head)) == 431


def test_a_body_over_six_megabytes_is_refused_unread(server, clinic):
    """Its sender hears 413 even while it is still sending."""
    size = MAX_BODY_BYTES + 1
    head = f"POST / HTTP/1.1\r\nHOST\r\nContent-Length: {size}\r\n\r\n".encode()

    assert status_of(said_to(server, head + b"x" * size)) == 413
    assert clinic.asked == []


def test_a_chunked_body_over_six_megabytes_is_refused(server, clinic):
    """Whatever length it does not say."""
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    head = b"POST / HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert status_of(said_to(server, head + chunk * 7)) == 413
    assert clinic.asked == []


def test_a_sender_that_waits_for_leave_gets_it(server):
    """Expect: 100-continue, as curl asks before a larger body."""
    host = f"Host: 127.0.0.1:{server.port}".encode()
    with connected(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n" + host + b"\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")

        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hi")
        assert status_of(connection.recv(65_536)) == 200


def test_a_newline_in_a_response_header_starts_no_other_header(server, clinic):
    """The product may put any text there."""
    clinic.answer = lambda _: HttpResponse(status=200, headers=(("Location", "/a\r\nSet-Cookie: b=c"),))

    answer = said_to(server, b"GET / HTTP/1.1\r\nHOST\r\n\r\n")
    assert b"\r\nLocation: /a Set-Cookie: b=c\r\n" in answer


def test_a_head_request_gets_the_headers_only(server):
    """With the length of the body that a GET would get."""
    answer = said_to(server, b"HEAD /v1/x HTTP/1.1\r\nHOST\r\n\r\nGET /b HTTP/1.1\r\nHOST\r\n\r\n")

    head, _, rest = answer.partition(b"\r\n\r\n")
    assert b"Content-Length: 6" in head
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "request_head", [b"GET / HTTP/1.0\r\nHOST\r\n\r\n", b"GET / HTTP/1.1\r\nHOST\r\nConnection: close\r\n\r\n"]
)
def test_a_connection_that_is_not_kept_says_so(server, request_head):
    """HTTP/1.0, and a client that asks to close."""
    assert b"Connection: close\r\n" in said_to(server, request_head)


def test_requests_are_answered_at_once(server, clinic):
    """Twenty that all wait for the last of them."""
    everybody_is_in = threading.Barrier(20, timeout=TIMEOUT_S)
    clinic.answer = lambda _: HttpResponse(status=200, body=b"%d" % everybody_is_in.wait())

    with ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(lambda _: said_to(server, b"GET / HTTP/1.1\r\nHOST\r\n\r\n"), range(20)))

    assert [status_of(answer) for answer in answers] == [200] * 20


def test_one_who_sends_slowly_is_cut_off(server, monkeypatch):
    """A thread is not held by a byte now and then."""
    monkeypatch.setattr(server_module, "READ_TIMEOUT_S", 0.1)
    with connected(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")

        assert connection.recv(1) == b""


def test_a_clean_stop_finishes_what_is_under_way(server, clinic):
    """The answer still comes, and the connection ends with it."""
    with connected(server) as connection:
        connection.sendall(f"GET /slow HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode())
        while not clinic.asked:
            time.sleep(0.01)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        while not server.stopping:
            time.sleep(0.01)
        clinic.let_go.set()

        assert b"Connection: close\r\n" in connection.recv(65_536)
        stopping.join(TIMEOUT_S)
        assert not stopping.is_alive()


def test_a_clean_stop_does_not_wait_for_idle_connections(server):
    """A browser keeps some open for later."""
    with connected(server):
        server.stop()

        assert server._connections == set()
