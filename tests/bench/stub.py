"""A process that answers like DynamoDB, KMS and the issuer of tokens, over HTTP on the loopback address."""

import base64
import json
import ssl
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from tests.bench.recording import ReadKey, build_read_key


@contextmanager
def run_stub(
    answers: Mapping[ReadKey, Mapping[str, Any]],
    plaintexts: Mapping[bytes, bytes] | None = None,
    jwks: bytes = b"",
    *,
    certificate: Path | None = None,
) -> Iterator[int]:
    """Yield the port of a stub with these responses, wrapped keys and keys of an issuer, until the block ends.

    `certificate` is a file with a certificate and its key, with which the stub speaks TLS.
    """
    spawn = get_context("spawn")
    parent_end, child_end = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(answers, plaintexts or {}, jwks, certificate, child_end), daemon=True)
    process.start()
    try:
        yield parent_end.recv()
    finally:
        process.terminate()
        process.join()


def _serve(
    answers: Mapping[ReadKey, Mapping[str, Any]],
    plaintexts: Mapping[bytes, bytes],
    jwks: bytes,
    certificate: Path | None,
    pipe: Connection,
) -> None:
    # Encoded once: a stub that is busy with JSON would take a core from the process it serves.
    responses = {key: json.dumps(answer).encode() for key, answer in answers.items()}
    for wrapped, key in plaintexts.items():
        unwrapped = {"Plaintext": base64.b64encode(key).decode()}
        responses["Decrypt", base64.b64encode(wrapped).decode()] = json.dumps(unwrapped).encode()

    class Handler(StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            while line := self.rfile.readline():
                headers = _headers(self.rfile) if line else {}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                is_aws = "x-amz-target" in headers
                self.wfile.write(_response(_answer(responses, headers, body) if is_aws else jwks))

    class Server(ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        pipe.send(server.server_address[1])
        server.serve_forever()


def _headers(lines: Any) -> dict[str, str]:
    headers = {}
    while line := lines.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return headers


def _answer(responses: Mapping[ReadKey, bytes], headers: Mapping[str, str], body: bytes) -> bytes:
    name = headers["x-amz-target"].rpartition(".")[2]
    if name == "Decrypt":
        return responses[name, json.loads(body)["CiphertextBlob"]]
    return responses[build_read_key(name, json.loads(body))] if name in {"GetItem", "Query"} else b"{}"


def _response(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
        b"x-amzn-RequestId: STUB\r\nx-amz-crc32: %d\r\nContent-Length: %d\r\n\r\n" % (zlib.crc32(body), len(body))
    ) + body
