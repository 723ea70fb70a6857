"""One request to a payer: TLS, time, size, and what a server can do wrong below HTTP."""

import contextlib
import json
import socket
import threading

import pytest

from chalicelib.domain.coverage.rows import FailureKind
from chalicelib.services.coverage.payer_http import MAX_REPLY_BYTES, HttpLimits, send_post
from chalicelib.services.coverage.payer_secrets import NO_CREDENTIALS, PayerCredentials
from infra.payers import setups
from infra.payers.server import run_simulator
from tests.support.certificates import TestAuthority
from tests.support.payers import JSON, SOAP, KnownSecrets, ask

LIMITS = HttpLimits(connect_s=2, read_s=5)


@pytest.fixture(scope="module")
def authority():
    return TestAuthority()


@contextlib.contextmanager
def raw_server(serve):
    """A server that hands the first connection to a function, after the request has arrived."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run():
            with contextlib.suppress(OSError):
                peer, _ = server.accept()
                with peer:
                    peer.recv(65_536)
                    serve(peer)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/core"
        server.close()
        thread.join(10)


def post(url, *, limits=LIMITS, credentials=NO_CREDENTIALS):
    return send_post(url, b"body", {"Content-Type": "text/plain"}, credentials=credentials, limits=limits)


def fail(reply):
    assert reply.failure
    return reply.failure.kind, reply.failure.reason


def test_an_answer_is_returned_as_it_arrived():
    with raw_server(lambda peer: peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")) as url:
        reply = post(url)

    assert (reply.status, reply.body, reply.failure) == (200, b"hi", None)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "connection_lost"),
        (b"SSH-2.0-OpenSSH_9\r\n", "connection_lost"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "connection_lost"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "connection_lost"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc", "encoded"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200 + b"\r\n", "connection_lost"),
    ],
)
def test_what_is_no_http_answer_is_tried_again(sent, reason):
    with raw_server(lambda peer: peer.sendall(sent)) as url:
        assert fail(post(url)) == (FailureKind.RETRY, reason)


def test_an_endless_answer_is_cut_at_the_limit():
    def pour(peer):
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.sendall(b"A" * 65_536)

    with raw_server(pour) as url:
        reply = post(url)

    assert fail(reply) == (FailureKind.RETRY, "too_large")
    assert len(reply.body) == MAX_REPLY_BYTES


def test_an_answer_that_drips_is_ended_by_the_clock_and_not_by_each_byte():
    stop = threading.Event()

    def drip(peer):
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not stop.wait(0.02):
            peer.sendall(b"A")

    with raw_server(drip) as url:
        reply = post(url, limits=HttpLimits(connect_s=2, read_s=0.3))
        stop.set()

    assert fail(reply) == (FailureKind.RETRY, "timeout")


def test_headers_that_drip_are_ended_too():
    stop = threading.Event()

    def drip(peer):
        peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not stop.wait(0.02):
            peer.sendall(b"A")

    with raw_server(drip) as url:
        reply = post(url, limits=HttpLimits(connect_s=2, read_s=0.3))
        stop.set()

    assert fail(reply) == (FailureKind.RETRY, "timeout")


def test_a_payer_that_accepts_no_connection_is_tried_again():
    """A full queue of connections drops further ones without a word, as a firewall does."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(server.getsockname())

        reply = post(f"http://127.0.0.1:{server.getsockname()[1]}/core", limits=HttpLimits(connect_s=0.2, read_s=5))
    assert fail(reply) == (FailureKind.RETRY, "connect_timeout")


def test_a_certificate_that_no_one_vouches_for_is_a_matter_of_set_up(authority, tmp_path):
    with run_simulator(tls=authority.build_server_context(tmp_path)) as payers:
        assert fail(post(f"{payers.url}/core")) == (FailureKind.SET_UP, "certificate")
        assert payers.received.requests == []


def test_a_certificate_for_another_host_is_refused(authority, tmp_path):
    with run_simulator(tls=authority.build_server_context(tmp_path)) as payers:
        url = payers.url.replace("127.0.0.1", "localhost")
        trusting = PayerCredentials(authorization="x", trusted_ca=authority.pem)

        assert fail(post(f"{url}/core", credentials=trusting)) == (FailureKind.SET_UP, "certificate")


def test_a_payer_with_an_authority_of_its_own_is_asked_over_tls(authority, tmp_path):
    secret = {"authorization": "Bearer local-clearing-house-token", "trusted_ca": authority.pem}
    with run_simulator(tls=authority.build_server_context(tmp_path)) as payers:
        secrets = KnownSecrets({setups.JSON_CREDENTIALS: json.dumps(secret)})

        assert ask(payers.url, JSON, secrets=secrets).outcome.rows


def test_a_client_certificate_identifies_us_instead_of_a_login(authority, tmp_path):
    certificate, key = authority.issue()
    secret = {"certificate": certificate, "private_key": key, "trusted_ca": authority.pem}
    context = authority.build_server_context(tmp_path, ask_client=True)
    with run_simulator(tls=context, login=None) as payers:
        secrets = KnownSecrets({setups.CORE_CREDENTIALS: json.dumps(secret)})

        assert ask(payers.url, SOAP, secrets=secrets).outcome.rows
        assert b"UsernameToken" not in payers.received.requests[0][2]


def test_a_missing_client_certificate_is_a_matter_of_set_up(authority, tmp_path):
    context = authority.build_server_context(tmp_path, ask_client=True)
    trusting = PayerCredentials(authorization="x", trusted_ca=authority.pem)
    with run_simulator(tls=context) as payers:
        assert fail(post(f"{payers.url}/core", credentials=trusting)) in {
            (FailureKind.SET_UP, "tls"),
            # A server that closes at once can hide the reason.
            (FailureKind.RETRY, "connection_lost"),
        }


@pytest.mark.parametrize(
    "changes",
    [{"private_key": "not a key"}, {"certificate": "not a certificate"}, {"trusted_ca": "no"}, {"private_key": None}],
)
def test_a_certificate_that_cannot_be_used_is_a_matter_of_set_up(authority, changes):
    certificate, key = authority.issue()
    values = {"certificate": certificate, "private_key": key, "trusted_ca": authority.pem, "authorization": "x"}
    credentials = PayerCredentials(**{**values, **changes})

    reply = post("https://127.0.0.1:1/core", credentials=credentials)
    assert fail(reply) in {(FailureKind.SET_UP, "client_certificate"), (FailureKind.RETRY, "unreachable")}


def test_a_server_without_tls_behind_https_is_no_answer():
    with raw_server(lambda peer: peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as url:
        kind, reason = fail(post(url.replace("http:", "https:")))

    assert (kind, reason) in {(FailureKind.SET_UP, "tls"), (FailureKind.RETRY, "connection_lost")}


def test_neither_a_reply_nor_credentials_are_shown_in_a_traceback():
    with raw_server(lambda peer: peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nXEX0001")) as url:
        shown = repr(post(url))
    secret = repr(PayerCredentials(username="CARTHUB", password="hidden-1", authorization="hidden-2"))

    assert "XEX0001" not in shown
    assert "hidden" not in secret
