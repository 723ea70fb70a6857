"""Listens on loopback and answers several requests at once, with one thread per connection."""

import contextlib
import socket
import threading
import time
from typing import Protocol

from infra.local.http1 import HttpConnection, HttpRequest, HttpResponse, RequestRejectedError

HOST = "127.0.0.1"
MAX_CONNECTIONS = 200
# The whole request must arrive within this time, so that slow clients do not block threads.
READ_TIMEOUT_S = 20.0
IDLE_TIMEOUT_S = 75.0
# The time limit of the API function, and some time to send the response.
SHUTDOWN_TIMEOUT_S = 32.0


class RequestHandler(Protocol):
    """Answers the requests that the server receives."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""

    def answer_rejected(self, error: RequestRejectedError) -> HttpResponse:
        """Answer a request that could not be parsed."""


class PortInUseError(Exception):
    """Another program listens on the requested port."""


class _Connection:
    """One connection, which one thread serves."""

    def __init__(self, peer: socket.socket, server: "HttpServer") -> None:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peer = peer
        self._server = server
        self._http = HttpConnection(
            lambda: peer.recv(65_536), peer.sendall, peer=peer.getpeername()[0], hosts=server.hosts
        )
        self.answering = False
        self.deadline = time.monotonic() + IDLE_TIMEOUT_S

    def serve(self) -> None:
        """Answer requests until one side closes the connection."""
        with contextlib.suppress(OSError), self._peer:
            while self._serve_one():
                self.deadline = time.monotonic() + IDLE_TIMEOUT_S

    def stop_reading(self) -> None:
        """Wake up a thread that waits for bytes. It finds that the connection has ended."""
        with contextlib.suppress(OSError):
            self._peer.shutdown(socket.SHUT_RD)

    def abort(self) -> None:
        """Wake up a thread that waits to read or to write."""
        with contextlib.suppress(OSError):
            self._peer.shutdown(socket.SHUT_RDWR)

    def _serve_one(self) -> bool:
        """Answer one request and return whether another may follow."""
        if not self._http.wait_for_request():
            return False
        self.deadline = time.monotonic() + READ_TIMEOUT_S
        try:
            request = self._http.read_request()
        except RequestRejectedError as error:
            self._http.send_response(self._server.handler.answer_rejected(error), close=True)
            self._drain_input()
            return False
        return request is not None and self._answer(request)

    def _answer(self, request: HttpRequest) -> bool:
        self.deadline = time.monotonic() + SHUTDOWN_TIMEOUT_S
        self.answering = True
        response = self._server.handler.answer(request)
        keep_alive = self._http.send_response(response, close=self._server.stopping, with_body=request.method != "HEAD")
        self.answering = False
        return keep_alive

    def _drain_input(self) -> None:
        """Read and ignore the rest of the request. Otherwise a connection reset would discard our response."""
        self._peer.shutdown(socket.SHUT_WR)
        self._peer.settimeout(1.0)
        give_up_at = time.monotonic() + 5
        while time.monotonic() < give_up_at and self._peer.recv(1 << 20):
            pass


class HttpServer:
    """The HTTP server of a local run.

    Attributes:
        hosts: The host names that the server accepts.
        handler: Answers requests, also those that could not be parsed.
        stopping: Whether each connection closes after its current request.
    """

    def __init__(self, port: int) -> None:
        """Bind the port, without answering requests yet.

        Raises:
            PortInUseError: another program uses the port.
        """
        try:
            self._listener = socket.create_server((HOST, port), backlog=128)
        except OSError as error:
            raise PortInUseError(
                f"Port {port} is in use. Stop the other program, or set PORT to another number."
            ) from error
        self.port: int = self._listener.getsockname()[1]
        self.hosts = frozenset({f"{HOST}:{self.port}", f"localhost:{self.port}"})
        self.stopping = False
        self._connections: set[_Connection] = set()
        self._ended = threading.Condition()

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://{HOST}:{self.port}"

    def start(self, handler: RequestHandler) -> None:
        """Start to answer requests."""
        self.handler = handler
        threading.Thread(target=self._accept, name="accept", daemon=True).start()
        threading.Thread(target=self._close_timed_out_connections, name="timeouts", daemon=True).start()

    def stop(self) -> None:
        """Accept no more connections, and wait for the requests in progress."""
        self.stopping = True
        # This wakes up `accept`. Closing the socket alone would not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._ended:
            for connection in self._connections:
                if not connection.answering:
                    connection.stop_reading()
            self._ended.wait_for(lambda: not self._connections, SHUTDOWN_TIMEOUT_S)

    def _accept(self) -> None:
        while not self.stopping:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                # No more descriptors, or stopped. The condition of the loop decides.
                time.sleep(0.05)
                continue
            if len(self._connections) >= MAX_CONNECTIONS:
                peer.close()
                continue
            connection = _Connection(peer, self)
            with self._ended:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: _Connection) -> None:
        try:
            connection.serve()
        finally:
            with self._ended:
                self._connections.discard(connection)
                self._ended.notify_all()

    def _close_timed_out_connections(self) -> None:
        while not self.stopping:
            time.sleep(1)
            now = time.monotonic()
            with self._ended:
                timed_out = [each for each in self._connections if each.deadline < now]
            for connection in timed_out:
                connection.abort()
