"""Documents on the local cloud: real signatures, real buckets, real events, the check and the local scanner."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import pikepdf
import pytest
from botocore.session import get_session

from chalicelib import wiring
from chalicelib.domain.documents.check_events import FILE_CHECK_PATTERN, UploadedObject
from chalicelib.domain.documents.file_types import LinkDisplay
from chalicelib.domain.documents.limits import MAX_FILE_BYTES
from document_check import handler
from infra.local import cloud, environment, scanner, schedules, stack
from infra.local.schedules import EventFunction, ScheduleRunner
from tests.support import tokens
from tests.support.api_driver import ApiDriver, open_api_driver
from tests.support.document_driver import PDF, DocumentDriver, SentEvents
from tests.support.uploaded_files import EICAR, build_pdf

DASHBOARD = "http://127.0.0.1:8000"
_BOUNDARY = "cartboundary"


@dataclass
class LocalDocuments:
    """A product whose files are in the local cloud."""

    api: ApiDriver
    endpoint: str

    def refer(self) -> DocumentDriver:
        """Refer a patient."""
        return DocumentDriver(self.api, self.api.refer()["referral_id"], SentEvents())


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A local cloud that checks signatures, with its buckets, functions and scanner."""
    with (
        pytest.MonkeyPatch.context() as patch,
        cloud.run_cloud(
            tmp_path_factory.mktemp("cloud"), enforce_policies=True, saving=False, dashboard=DASHBOARD
        ) as local_cloud,
    ):
        folder = tmp_path_factory.mktemp("keys")
        product = environment.build_product_environment(local_cloud.endpoint)
        for name, value in product.items():
            patch.setenv(name, value)
        settings = stack.deploy(local_cloud.endpoint, public_url=DASHBOARD, mail_from="notices@dashboard.example")
        identity = {
            "IDENTITY_CLIENT_ID": tokens.CLIENT_ID,
            "IDENTITY_ISSUER": tokens.ISSUER,
            "IDENTITY_JWKS_URL": tokens.write_jwks(folder / "jwks.json"),
        }
        for name, value in (settings | identity).items():
            patch.setenv(name, value)
        patch.setattr(schedules, "POLL_S", 1)
        handler._get_client.cache_clear()
        scanner._get_client.cache_clear()
        api = open_api_driver()
        others = [
            EventFunction(name=name, pattern=FILE_CHECK_PATTERN, handler=run, time_limit_s=60)
            for name, run in (("document-check", handler.handle), ("scanner", scanner.handle))
        ]
        runner = ScheduleRunner(api.anyone.app, local_cloud.endpoint, tuple(others))
        runner.start()
        yield LocalDocuments(api, local_cloud.endpoint)
        runner.stop()
        handler._get_client.cache_clear()
        scanner._get_client.cache_clear()
        wiring.reset()


def post(form: dict[str, Any], content: bytes, origin: str = DASHBOARD, **changed: str) -> tuple[int, bytes]:
    """Upload as a browser does."""
    fields = {**form["fields"], **changed}
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    file = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode()
    body = b"".join([*parts, file, content, f"\r\n--{_BOUNDARY}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}", "Origin": origin}
    return fetch(urllib.request.Request(form["url"], body, headers))


def fetch(request: Any) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def wait_for_state(documents: DocumentDriver, document_id: str, *states: str) -> dict[str, Any]:
    give_up_at = time.monotonic() + 60
    while (found := documents.get(document_id))["state"] not in states:
        assert time.monotonic() < give_up_at, found
        time.sleep(0.1)
    return found


def announce(documents: DocumentDriver, content: bytes) -> tuple[str, dict[str, Any]]:
    added = documents.announce(content).json
    return added["document"]["document_id"], added["upload"]


def test_an_upload_is_checked_scanned_shared_and_opened(local):
    """From the form to the bytes, through every part of the product."""
    documents = local.refer()
    document_id, form = announce(documents, PDF)
    assert post(form, PDF)[0] == 201
    wait_for_state(documents, document_id, "available")
    link = documents.open(document_id, local.api.center).json["url"]
    with urllib.request.urlopen(link) as response:
        headers, content = response.headers, response.read()

    assert content.startswith(b"%PDF-")
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"].startswith('attachment; filename="imaging-')
    # The form can be used again until it expires. That changes nothing.
    assert post(form, build_pdf(9))[0] == 201
    assert documents.get(document_id)["state"] == "available"
    with urllib.request.urlopen(link) as response:
        assert response.read() == content


def add_eicar(pdf):
    pdf.Root.Hidden = pdf.make_stream(b"x" * 50 + EICAR)


def test_the_scanner_finds_the_test_file_inside_a_pdf(local):
    """Compressed, where no search of the bytes finds it. Nothing is kept."""
    documents = local.refer()
    infected = build_pdf(1, add_eicar, compress_streams=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    document_id, form = announce(documents, infected)
    assert EICAR not in infected
    assert post(form, infected)[0] == 201

    assert wait_for_state(documents, document_id, "rejected")["rejected_because"]["code"] == "malware"
    documents.run_tasks()
    # The check may still write its copy. News of the check removes it.
    give_up_at = time.monotonic() + 60
    while kept := list_kept(documents, local.endpoint):
        assert time.monotonic() < give_up_at, kept
        time.sleep(0.1)


def list_kept(documents, endpoint):
    """List the keys of all that is kept of the documents of a referral."""
    s3: Any = get_session().create_client("s3", endpoint_url=endpoint)
    settings = wiring.get_settings()
    pages = [s3.list_object_versions(Bucket=each) for each in (settings.quarantine_bucket, settings.documents_bucket)]
    keys = [row["Key"] for page in pages for row in page.get("Versions", [])]
    return [key for key in keys if documents.referral_id in key]


@pytest.mark.parametrize(
    ("content", "changed", "status"),
    [
        (b"", {}, 400),
        (bytes(MAX_FILE_BYTES + 1), {}, 400),
        (PDF, {"Content-Type": "text/html"}, 403),
        (PDF, {"key": "uploads/ref_x/doc_x"}, 403),
        (PDF, {"acl": "public-read"}, 403),
        (PDF, {"x-amz-signature": "0" * 64}, 403),
    ],
)
def test_a_form_allows_nothing_but_its_own_upload(local, content, changed, status):
    """Storage itself refuses it, before anything is stored."""
    documents = local.refer()
    _, form = announce(documents, PDF)

    assert post(form, content, **changed)[0] == status


def test_exactly_25_megabytes_are_accepted_by_storage(local):
    """The check then looks at the content."""
    documents = local.refer()
    _, form = announce(documents, PDF)

    assert post(form, b"%PDF-" + bytes(MAX_FILE_BYTES - 5))[0] == 201


def test_a_page_of_another_site_cannot_upload(local):
    """Also not with a valid form."""
    documents = local.refer()
    _, form = announce(documents, PDF)

    assert post(form, PDF, origin="https://evil.example")[0] == 403


@pytest.fixture(scope="module")
def shared(local):
    """The documents of a referral, and the id of one that is available."""
    documents = local.refer()
    document_id, form = announce(documents, PDF)
    post(form, PDF)
    wait_for_state(documents, document_id, "available")
    return documents, document_id


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ("imaging-", "malware-"),
        ("/doc_", "/doc_a"),
        ("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("response-content-type=application%2Fpdf", "response-content-type=text%2Fhtml"),
    ],
)
def test_a_changed_link_opens_nothing(shared, find, put):
    """Every parameter is signed."""
    documents, document_id = shared
    link = documents.open(document_id).json["url"]

    assert find in link
    assert fetch(link.replace(find, put, 1))[0] == 403


def test_an_expired_link_opens_nothing(shared):
    """It was valid for a minute."""
    documents, document_id = shared
    now = wiring.read_clock()
    files, read = wiring.get_stores().files, documents.api.stores.documents
    practice_id = documents.api.members["practice"].tenant_id
    document = read.get(documents.referral_id, document_id, scope=practice_id)
    earlier = now.replace(year=now.year - 1)
    link = files.build_link(documents.referral_id, document, document.stored, LinkDisplay.DOWNLOAD, now=earlier)

    assert fetch(link)[0] == 403


@pytest.mark.parametrize(("query", "disposition"), [("", "attachment"), ("?display=inline", "inline")])
def test_storage_sends_the_type_and_the_disposition_of_the_link(shared, query, disposition):
    """Whatever the stored object says; and no cache keeps the file."""
    documents, document_id = shared
    with urllib.request.urlopen(documents.open(document_id, query=query).json["url"]) as response:
        headers = response.headers

    assert headers["Content-Disposition"].startswith(f'{disposition}; filename="imaging-')
    assert (headers["Content-Type"], headers["Cache-Control"]) == ("application/pdf", "no-store")


def test_a_browser_opens_a_signed_link_and_nothing_else_of_the_cloud(shared, local):
    """The local cloud refuses every other request of a browser."""
    documents, document_id = shared
    browser = {"Sec-Fetch-Site": "same-site"}
    link = documents.open(document_id).json["url"]
    quarantine = wiring.get_settings().quarantine_url

    assert fetch(urllib.request.Request(link, headers=browser))[0] == 200
    assert fetch(urllib.request.Request(quarantine, headers=browser))[0] == 403
    assert fetch(urllib.request.Request(f"{local.endpoint}/_ministack/health", headers=browser))[0] == 403


def test_a_file_without_a_signature_is_not_readable(shared):
    """Knowing its address is not enough."""
    documents, document_id = shared
    link = documents.open(document_id).json["url"]

    assert fetch(link.partition("?")[0])[0] == 403


@pytest.mark.parametrize(
    ("content", "result"),
    [
        (EICAR, "infected"),
        (b"%PDF-" + EICAR, "infected"),
        (PDF, "clean"),
        (b"stream\nnot compressed endstream", "clean"),
        (scanner.FAILING_MARKER, "failed"),
    ],
)
def test_the_local_scanner_knows_the_test_file(content, result):
    """And a file that no scan ends for."""
    assert scanner.find_malware(content) == result


def test_the_local_scanner_reports_as_guardduty_does(monkeypatch):
    """A scan that fails has no result."""
    sent = SentEvents()
    monkeypatch.setattr(scanner, "_get_client", lambda _: sent)
    scanner._send(UploadedObject("b", "uploads/x", "v1"), "failed")

    assert json.loads(sent.entries[0]["Detail"])["scanStatus"] == "FAILED"
