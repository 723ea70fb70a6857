"""The function that sets PDFs, in a process of its own that speaks Lambda's Invoke API on loopback.

The product calls it exactly as in production. It has a process of its own, so that its library and fonts are not
in the product's, and because the local cloud runs functions only from a deployed bundle.

It prints one line to standard output: `{"endpoint": "http://127.0.0.1:PORT"}`. It stops when its standard input
closes, which the operating system does when the process that started it dies for any reason.

Source of the protocol: AWS Lambda API reference, "Invoke" (API version 2015-03-31).
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

from infra.commit import ROOT
from packet_pdf.handler import handle

HOST = "127.0.0.1"
_INVOKE = re.compile(r"/2015-03-31/functions/[^/]+/invocations")
_MAX_EVENT_BYTES = 6 * 1024 * 1024
"""The largest event of a synchronous call (AWS Lambda quotas)."""


class PacketFunctionError(Exception):
    """The function did not start. The message is shown to the user."""


class _InvokeHandler(BaseHTTPRequestHandler):
    """Answers one call at a time and closes the connection after it, as one instance of a function does."""

    def do_POST(self) -> None:
        """Call the function."""
        size = int(self.headers.get("Content-Length") or 0)
        if not self._is_from_the_product() or size > _MAX_EVENT_BYTES:
            self._answer(403, b"{}")
            return
        try:
            result = json.dumps(handle(json.loads(self.rfile.read(size))))
        except Exception as error:  # noqa: BLE001 Lambda reports every error of a function in this way
            failed = {"errorMessage": str(error), "errorType": type(error).__name__}
            self._answer(200, json.dumps(failed).encode(), {"X-Amz-Function-Error": "Unhandled"})
            return
        self._answer(200, result.encode())

    def _is_from_the_product(self) -> bool:
        """Whether the request does not come from a page in a browser, which can send requests to loopback."""
        _, port = self.connection.getsockname()
        is_from_browser = "Origin" in self.headers or "Sec-Fetch-Site" in self.headers
        return (
            self.headers.get("Host") == f"{HOST}:{port}"
            and not is_from_browser
            and _INVOKE.fullmatch(self.path) is not None
        )

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Print nothing: standard output is for the address."""


@contextlib.contextmanager
def run_packet_function() -> Iterator[str]:
    """Run the function during the block, and yield its address.

    Raises:
        PacketFunctionError: it did not start.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.packet_function"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # It needs no setting, and no address of a cloud.
        env={"PATH": os.defpath},
        # Ctrl-C must reach only the process that stops everything in order.
        start_new_session=True,
    )
    with process:
        try:
            first_line = process.stdout.readline() if process.stdout else ""
            if not first_line:
                raise PacketFunctionError("The function that makes PDFs did not start. Run `make setup`.")
            yield str(json.loads(first_line)["endpoint"])
        finally:
            process.kill()


def main() -> None:
    """Serve until the standard input closes."""
    server = HTTPServer((HOST, 0), _InvokeHandler)
    print(json.dumps({"endpoint": f"http://{HOST}:{server.server_address[1]}"}), flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
