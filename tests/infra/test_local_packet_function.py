"""The function that sets PDFs in a local run: the product's own client calls it."""

import json
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from chalicelib import budget, clients, wiring
from chalicelib.errors import UnavailableError
from chalicelib.store.referrals.packet_renderer import LambdaPacketRenderer, PacketUnavailableError
from infra.commit import ROOT
from infra.local.packet_function import PacketFunctionError, run_packet_function
from tests.support.packet_pages import build_page, read_pages

CALL = "/2015-03-31/functions/cart-packet-pdf/invocations"


@pytest.fixture(scope="module")
def endpoint():
    """The address of a running function."""
    with run_packet_function() as address:
        yield address


@pytest.fixture
def renderer(endpoint, monkeypatch):
    """What the product calls it with."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", endpoint)
    client = clients.create_aws_client("lambda")
    return LambdaPacketRenderer(client=lambda: client, function_name="cart-packet-pdf")


def test_the_products_client_gets_a_pdf(renderer):
    """Through the same call as in production, again and again."""
    for _ in range(3):
        pdf = renderer.render(build_page())
        assert "CAR T referral: Ana Example" in read_pages(pdf)[0]


def test_a_call_fits_the_time_of_a_request(renderer):
    """With the rest of a budget of ten seconds."""
    with budget.limit_time(budget.MAX_BUDGET_S, clock=wiring.read_monotonic):
        assert renderer.render(build_page())


def test_an_error_of_the_function_arrives_as_lambda_reports_it(renderer):
    """The product cannot tell it from production."""
    with pytest.raises(PacketUnavailableError):
        renderer.render({"title": "not a page"})


def test_a_function_that_stopped_is_unavailable(monkeypatch):
    """No one hangs."""
    with run_packet_function() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", address)
    client = clients.create_aws_client("lambda")

    with pytest.raises(UnavailableError):
        LambdaPacketRenderer(client=lambda: client, function_name="cart-packet-pdf").render(build_page())


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (CALL, {"Origin": "https://elsewhere.example"}),
        (CALL, {"Sec-Fetch-Site": "cross-site"}),
        (CALL, {"Host": "elsewhere.example"}),
        ("/", {}),
    ],
    ids=["a page", "a page without origin", "another host name", "another path"],
)
def test_other_programs_are_refused(endpoint, path, headers):
    """Any web page can send requests to loopback."""
    request = urllib.request.Request(endpoint + path, data=json.dumps({"page": build_page()}).encode(), headers=headers)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    with pytest.raises(urllib.error.HTTPError) as refused:
        direct.open(request, timeout=5)

    assert refused.value.code == 403
    refused.value.close()


def test_a_function_that_does_not_start_says_what_to_do(monkeypatch):
    """Instead of a failure at the first download."""
    monkeypatch.setattr(sys, "executable", "/bin/true")

    with pytest.raises(PacketFunctionError, match="make setup"), run_packet_function():
        pass


def test_a_local_run_does_not_log_before_its_log_file_is_open():
    """A logger that is created earlier writes to the terminal; if no one reads it, the product stops."""
    program = "import infra.local.__main__, sys; print('chalicelib.observe' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)

    assert finished.stdout == "False\n"
