"""Fixtures that several test files share: the packaged template, and a test API on a real port."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from infra import bundle
from tests.support.build_once import build_once


@pytest.fixture(scope="session")
def template_file(tmp_path_factory, worker_id):
    """The packaged template, without the bundles that it names."""
    return build_once(tmp_path_factory, worker_id, "template", bundle.build_template) / bundle.TEMPLATE


@pytest.fixture(scope="session")
def template(template_file):
    """The packaged template."""
    return json.loads(template_file.read_text())


@pytest.fixture(scope="session")
def production(template):
    """The packaged template with its production conditions resolved."""
    return _resolve_for_production(template)


def _resolve_for_production(node):
    match node:
        case {"Fn::If": ["InProduction" | "CreatesDataKey" | "CreatesUserPool", value, _]}:
            return _resolve_for_production(value)
        case dict():
            return {key: _resolve_for_production(value) for key, value in node.items()}
        case list():
            return [_resolve_for_production(value) for value in node]
    return node


@pytest.fixture
def local_server(api, monkeypatch):
    """The test API, listening on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._pass_on(None)

        def do_POST(self):
            self._pass_on(self.rfile.read(int(self.headers["Content-Length"])))

        def _pass_on(self, body):
            headers = {name.title(): value for name, value in self.headers.items()}
            response = api.anyone.send(self.command, self.path, body, headers=headers)
            self.send_response(response.status)
            self.end_headers()
            self.wfile.write(response.text.encode())

        def log_message(self, *_):
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PUBLIC_URL", f"http://127.0.0.1:{server.server_port}")
        yield api
        server.shutdown()
