"""What several tests share: the bundle and template, built once, and a site that is listened to."""

import fcntl
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from infra import bundle


@pytest.fixture(scope="session")
def dist(tmp_path_factory, worker_id):
    """What `make package` writes."""
    own = tmp_path_factory.getbasetemp()
    out = (own if worker_id == "master" else own.parent) / "dist"
    with (out.parent / "dist.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / bundle.TEMPLATE).exists():
            bundle.build(out)
    return out


@pytest.fixture(scope="session")
def template(dist):
    """The packaged template."""
    return json.loads((dist / bundle.TEMPLATE).read_text())


@pytest.fixture(scope="session")
def production(template):
    """The packaged template, as its conditions make it in production."""
    return _in_production(template)


def _in_production(node):
    match node:
        case {"Fn::If": ["InProduction", chosen, _]}:
            return _in_production(chosen)
        case dict():
            return {key: _in_production(value) for key, value in node.items()}
        case list():
            return [_in_production(value) for value in node]
    return node


@pytest.fixture
def local_server(api, monkeypatch):
    """The site of the clinic, at an address."""

    class Front(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.title(): value for name, value in self.headers.items()}
            answer = api.anyone.send("POST", self.path, body, headers=headers)
            self.send_response(answer.status)
            self.end_headers()
            self.wfile.write(answer.text.encode())

        def log_message(self, *_):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Front) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PUBLIC_URL", f"http://127.0.0.1:{server.server_port}")
        yield api
        server.shutdown()
