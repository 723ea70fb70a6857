"""The code that integrators copy signs correctly, and is the same on the page, in the API reference and in the docs."""

import re
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from chalicelib.routes.webhooks.samples import EXAMPLE_URL, LANGUAGES, load_samples
from tests.support.factories import CENTER
from tests.support.webhook_samples import run_sample

DOCS = Path(__file__).parents[3] / "docs/center-integrators.md"
FENCES = {"curl": "sh", "python": "python", "javascript": "js"}
ADDRESS = "/v1/webhooks/centers/ctr_harbor"


@pytest.fixture(scope="module")
def server(shared_api):
    """A server that passes each POST on to the API, as the gateway does."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            # The client adds those of the connection.
            names = [name for name in self.headers if name.lower().startswith(("webhook-", "content-type"))]
            headers = {"Content-Type" if "type" in name.lower() else name: self.headers[name] for name in names}
            answer = shared_api.anyone.send("POST", self.path, body, headers=headers)
            content = answer.text.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["content-type"])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            """Print nothing."""

    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sample_sends_a_delivery_that_is_accepted(shared_api, server, language, tmp_path):
    """With the secret pasted in, and without any other change than the address."""
    secret = f"whsec_{b64encode(shared_api.secrets[CENTER.tenant_id]).decode()}"
    code = load_samples()[language].replace(EXAMPLE_URL, server + ADDRESS)

    printed = run_sample(language, code, secret=secret, folder=tmp_path)

    assert "200" in printed
    assert '"status":"tested"' in printed


@pytest.mark.parametrize("language", ["curl", "javascript"])
def test_a_sample_prints_why_it_was_refused(server, language, tmp_path):
    """A wrong secret gets 401. In Python, the same is an exception, as the comment in the code says."""
    code = load_samples()[language].replace(EXAMPLE_URL, server + ADDRESS)

    printed = run_sample(language, code, secret=f"whsec_{b64encode(b'x' * 32).decode()}", folder=tmp_path)

    assert "401" in printed
    assert '"code":"unauthenticated"' in printed


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_docs_have_the_sample_word_by_word(language):
    """In a block of its language."""
    blocks = re.findall(rf"^```{FENCES[language]}\n(.*?)^```", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL)

    assert blocks == [load_samples()[language]]


def test_the_api_reference_has_every_sample(shared_api):
    """At the route that receives deliveries."""
    document = shared_api.anyone.get("/v1/openapi.json").json
    operation = document["paths"]["/v1/webhooks/centers/{center_id}"]["post"]

    assert {each["lang"]: each["source"] for each in operation["x-codeSamples"]} == dict(load_samples())
