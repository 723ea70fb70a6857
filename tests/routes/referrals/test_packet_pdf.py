"""A referral as a PDF, through the API."""

import io
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib import budget, wiring
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.store.referrals.packet_renderer import LambdaPacketRenderer
from packet_pdf import render as renderer
from tests.support import aws_fakes as cloud
from tests.support import factories
from tests.support.documents_in_packets import add_fax
from tests.support.packet_function import PACKET_FUNCTION, PacketFunction
from tests.support.packet_pages import build_lines, read_pages

LIMIT = "chalicelib.services.referrals.packet_pdf.PACKETS_PER_MEMBER"


def download(site, referral_id, query="", **headers):
    return site.send("GET", f"/v1/referrals/{referral_id}/packet.pdf{query}", headers=headers)


def read(site, referral_id, query=""):
    answer = download(site, referral_id, query)
    assert answer.status == 200, answer.text
    return " ".join(read_pages(answer.content))


@pytest.fixture(scope="module")
def referral_id(shared_api):
    return shared_api.refer(note="Call the daughter first.")["referral_id"]


@pytest.fixture(autouse=True)
def full_limit():
    """All modules share their members, and what these have used of their limit."""
    cloud.forget_rate_limits()


@pytest.fixture
def packet_function(monkeypatch):
    """A function of its own, which has not been called."""
    function = PacketFunction()
    renderer = LambdaPacketRenderer(client=lambda: function, function_name=PACKET_FUNCTION)
    monkeypatch.setattr(wiring, "get_packet_renderer", lambda: renderer)
    return function


@pytest.mark.parametrize("side", ["practice", "center"])
def test_both_sides_download_the_packet(shared_api, referral_id, side):
    """As a file without a name of the patient, which no cache keeps."""
    answer = download(getattr(shared_api, side), referral_id)

    assert answer.status == 200
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="referral-packet.pdf"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_packet_has_patient_provider_center_and_statements(shared_api, referral_id):
    """What is needed to hand a patient over."""
    text = read(shared_api.practice, referral_id)

    for expected in (
        "CAR T referral: Ana Example",
        "From Cedar Oncology to Harbor Cell Therapy.",
        "Date of birth: Apr 2, 1961",
        "NPI: 1234567893",
        "Disease: Large B-cell lymphoma",
        "R-CHOP (Anti-CD20, Anthracycline)",
        "Payer: Example Health",
        "Basis: The patient's consent",
        "24/7 line: (410) 555-0199",
        "Nothing is missing.",
        "Call the daughter first.",
        "Requested product: Breyanzi",
        "Status: Submitted",
        EMERGENCY_NOTE,
        *DISCLAIMERS,
    ):
        assert expected in text


@pytest.mark.parametrize(("side", "zone"), [("practice", ("CST", "CDT")), ("center", ("EST", "EDT"))])
def test_the_time_is_in_the_zone_of_the_reader(shared_api, referral_id, side, zone):
    """With its name, because a fax travels."""
    text = read(getattr(shared_api, side), referral_id)

    assert any(f" {name} from version" in text for name in zone)
    assert "May be out of date after" in text


def test_a_page_with_the_alias_does_not_name_the_patient(shared_api, referral_id):
    """The reader chooses."""
    alias = shared_api.practice.get(f"/v1/referrals/{referral_id}").json["alias"]
    text = read(shared_api.practice, referral_id, "?patient=alias")

    assert f"CAR T referral: {alias}" in text
    assert [word for word in ("Ana", "A-1009", "1961", "555-0142", "XEX0001", "daughter") if word in text] == []


def test_another_way_to_name_the_patient_is_refused(shared_api, referral_id):
    """The error names the parameter."""
    answer = download(shared_api.practice, referral_id, "?patient=initials")

    assert answer.status == 400
    assert answer.json["errors"][0]["pointer"] == "/patient"


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html, application/pdf"])
def test_a_request_that_does_not_accept_pdf_first_gets_406(shared_api, referral_id, accept):
    """API Gateway would send the file as base64 text."""
    answer = download(shared_api.practice, referral_id, Accept=accept)

    assert (answer.status, answer.json["code"]) == (406, "accept_pdf")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_draft_has_a_packet_for_its_practice_only(shared_api):
    """It says that it is a draft, and what is missing."""
    referral_id = shared_api.refer(submit=False, patient__phone=None, clinical__ecog=None)["referral_id"]
    text = read(shared_api.practice, referral_id)

    assert "Draft of Cedar Oncology. It was not submitted to a center." in text
    assert "Missing: Patient's phone; ECOG performance status." in text
    assert download(shared_api.center, referral_id).status == 404


def test_documents_are_listed(shared_api):
    """Those that were sent another way, and those that are missing."""
    referral_id = shared_api.refer()["referral_id"]
    add_fax(shared_api.practice, referral_id, "pathology_report")

    for site in (shared_api.practice, shared_api.center):
        text = read(site, referral_id)
        assert "Sent another way: Pathology report" in text
        assert "Missing: Last PET-CT or other imaging" in text


def test_the_packet_has_nothing_of_another_tenant(shared_api):
    """Not of another practice, its members, patients or centers."""
    canary = "Zyxcanary"
    shared_api.other_practice.post(
        "/v1/referrals",
        factories.build_referral_body(patient__family_name=canary, note=canary, referring_provider__name=canary),
    )
    referral_id = shared_api.refer()["referral_id"]

    text = read(shared_api.practice, referral_id)
    assert canary not in text
    assert factories.OTHER_PRACTICE.name not in text
    assert factories.OTHER_CENTER.name not in text


@pytest.mark.parametrize("stranger", ["other_practice", "other_center", "practice_admin", "operator"])
def test_a_stranger_gets_404_and_no_page_is_made(shared_api, referral_id, stranger, packet_function):
    """The function is not even called."""
    site = getattr(shared_api, stranger, None) or shared_api.get_client_for(shared_api.members[stranger])

    assert download(site, referral_id).status == 404
    assert packet_function.calls == []


def list_audit(world, referral_id, action):
    """The rows about reads of a referral."""
    rows = world.stores.audit_log.table.query_all("referral_id = :id", {"id": f"{referral_id}/reads"})
    return [row for row in rows if row["action"] == action]


def test_each_download_leaves_an_audit_row(shared_api):
    """With the member, the version and the request, and nothing of the page."""
    referral_id = shared_api.refer()["referral_id"]
    download(shared_api.center, referral_id, **{"X-Request-Id": "packet-request"})

    [row] = list_audit(shared_api, referral_id, "packet.read")
    assert row["actor_id"] == shared_api.members["center"].member_id
    assert (row["outcome"], row["request_id"]) == ("allowed", "packet-request")


def test_a_download_that_failed_leaves_an_audit_row_too(shared_api, monkeypatch):
    """The row is written first, so that no page leaves without one."""
    referral_id = shared_api.refer()["referral_id"]
    fail_with(monkeypatch, ConnectionResetError())
    download(shared_api.practice, referral_id)

    assert len(list_audit(shared_api, referral_id, "packet.read")) == 1


def test_a_member_over_the_limit_gets_429(shared_api, referral_id, monkeypatch):
    """Others are not affected."""
    member = shared_api.get_client_for(shared_api.members["clinician"])
    monkeypatch.setattr(LIMIT, RateLimit(burst=2, per_second=0.001))
    answers = [download(member, referral_id) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].json["code"] == "slow_down"
    assert int(answers[2].headers["retry-after"]) > 0
    assert download(shared_api.practice, referral_id).status == 200
    cloud.forget_rate_limits()


def fail_with(monkeypatch, error=None, **response):
    """Let Lambda raise an error, or answer as given."""

    class Broken:
        def invoke(self, **_arguments):
            if error:
                raise error
            return response

    monkeypatch.setattr(
        wiring, "get_packet_renderer", lambda: LambdaPacketRenderer(client=Broken, function_name="packet")
    )


def build_client_error(code, status):
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Invoke")


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="https://lambda.example"),
        build_client_error("TooManyRequestsException", 429),
        build_client_error("ServiceException", 500),
        build_client_error("EC2ThrottledException", 502),
    ],
    ids=["timeout", "throttled", "broken", "no capacity"],
)
def test_a_function_that_does_not_respond_is_503_with_a_pause(shared_api, referral_id, monkeypatch, error):
    """Nothing else of the referral depends on it."""
    fail_with(monkeypatch, error)
    answer = download(shared_api.practice, referral_id)

    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    assert shared_api.practice.get(f"/v1/referrals/{referral_id}").status == 200


@pytest.mark.parametrize(
    "response",
    [
        {"FunctionError": "Unhandled", "Payload": b'{"errorType": "RenderError", "errorMessage": "Ana Example"}'},
        {"FunctionError": "Unhandled", "Payload": b"Ana Example is not JSON"},
        {"FunctionError": "Unhandled", "Payload": b'["Ana Example"]'},
        {"Payload": b"{}"},
        {"Payload": b'{"pdf": "Ana Example"}'},
        {"Payload": b'{"pdf": "QW5hIEV4YW1wbGU="}'},
        {"Payload": b"null"},
        {"Payload": b"Ana Example"},
    ],
    ids=["error", "garbled error", "odd error", "empty", "not base64", "not a PDF", "null", "garbled"],
)
def test_a_function_that_fails_is_503_and_its_text_is_nowhere(shared_api, referral_id, monkeypatch, caplog, response):
    """Neither in the response nor in the log."""
    fail_with(monkeypatch, None, **{**response, "Payload": io.BytesIO(response["Payload"])})
    answer = download(shared_api.practice, referral_id)

    assert (answer.status, answer.json["code"]) == (503, "packet_unavailable")
    logged = str([vars(record) for record in caplog.records])
    assert "packet_renderer_failed" in logged
    assert "Ana" not in answer.text + logged


def test_a_page_that_cannot_be_set_is_503(shared_api, referral_id, monkeypatch):
    """A font that is missing, for example."""
    monkeypatch.setattr(renderer, "_load_fonts", list)

    assert download(shared_api.practice, referral_id).json["code"] == "packet_unavailable"


def test_a_request_without_enough_time_does_not_start_the_function(shared_api, referral_id, packet_function):
    """It would end without an answer, and the gateway would say less."""
    with budget.limit_time(5, clock=wiring.read_monotonic):
        answer = download(shared_api.practice, referral_id)

    assert answer.status == 503
    assert packet_function.calls == []


def test_the_function_gets_only_the_page(shared_api, referral_id, packet_function):
    """No id of a referral, tenant or member, and with the alias no name."""
    download(shared_api.practice, referral_id, "?patient=alias")

    [event] = packet_function.calls
    assert list(event) == ["page"]
    assert referral_id not in str(event)
    assert factories.PRACTICE.tenant_id not in str(event)
    assert "Example Health" in str(event)
    assert "Ana" not in str(event)


def test_thirty_lines_of_therapy_and_a_long_note_arrive_complete(shared_api):
    """As many as the API accepts."""
    referral_id = shared_api.refer(clinical__prior_lines=build_lines(30), note="word " * 400)["referral_id"]
    text = read(shared_api.center, referral_id)

    assert all(f"R-CHOP no. {number} (" in text for number in range(1, 31))
    assert text.count("word") == 400


def test_a_closed_referral_still_has_its_packet(shared_api):
    """With its status, so that no one takes it for an open one."""
    referral_id = shared_api.refer()["referral_id"]
    at = (wiring.read_clock() - timedelta(minutes=1)).isoformat()
    event = {"type": "stage.changed", "occurred_at": at, "data": {"stage": "declined", "reason_code": "capacity_full"}}
    answer = shared_api.center.post(f"/v1/referrals/{referral_id}/events", event)
    assert answer.status == 200, answer.text

    assert "Status: Declined" in read(shared_api.practice, referral_id)
