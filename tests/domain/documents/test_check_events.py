"""Events about uploads, as S3, GuardDuty and our own functions send them."""

import json

import pytest

from chalicelib.domain.documents.check_events import (
    CheckOutcome,
    CheckRequest,
    ScanResult,
    UploadedObject,
    build_check_request,
    build_check_result,
    build_upload_key,
    parse_event,
    parse_upload_key,
)
from chalicelib.domain.documents.reasons import RejectionReason

REFERRAL_ID, DOCUMENT_ID = "ref_" + "a" * 26, "doc_" + "b" * 26
KEY = f"uploads/{REFERRAL_ID}/{DOCUMENT_ID}"
UPLOADED = UploadedObject("quarantine", KEY, "v1")


def build_event(source, kind, detail):
    return {"source": source, "detail-type": kind, "detail": json.loads(json.dumps(detail))}


def build_guardduty_event(status, outcome, threats=None):
    """As in the GuardDuty user guide, with our names."""
    return build_event(
        "aws.guardduty",
        "GuardDuty Malware Protection Object Scan Result",
        {
            "schemaVersion": "1.0",
            "scanStatus": status,
            "resourceType": "S3_OBJECT",
            "s3ObjectDetails": {
                "bucketName": "quarantine",
                "objectKey": KEY,
                "eTag": "ASIAI44QH8DHBEXAMPLE",
                "versionId": "v1",
                "s3Throttled": False,
            },
            "scanResultDetails": {"scanResultStatus": outcome, "threats": threats},
        },
    )


def test_an_arrived_object_is_read_with_its_version():
    """As S3 sends it."""
    detail = {"bucket": {"name": "quarantine"}, "object": {"key": KEY, "size": 5, "version-id": "v1"}}

    assert parse_event(build_event("aws.s3", "Object Created", detail)) == (UPLOADED, None)


def test_an_arrived_object_without_a_version_is_read_too():
    """The local cloud sends none."""
    detail = {"bucket": {"name": "quarantine"}, "object": {"key": KEY, "size": 5}}

    assert parse_event(build_event("aws.s3", "Object Created", detail)) == (UploadedObject("quarantine", KEY, ""), None)


@pytest.mark.parametrize(
    ("status", "outcome", "threats", "result"),
    [
        ("COMPLETED", "NO_THREATS_FOUND", None, ("NO_THREATS_FOUND", [])),
        ("COMPLETED", "THREATS_FOUND", [{"name": "EICAR-Test-File"}], ("THREATS_FOUND", ["EICAR-Test-File"])),
        ("SKIPPED", "UNSUPPORTED", None, ("UNSUPPORTED", [])),
        ("FAILED", "FAILED", None, ("", [])),
    ],
)
def test_a_scan_result_is_read_in_the_words_of_the_scanner(status, outcome, threats, result):
    """A scan that failed has no result that counts."""
    expected = ScanResult(engine="aws.guardduty", outcome=result[0], threats=result[1])

    assert parse_event(build_guardduty_event(status, outcome, threats)) == (UPLOADED, expected)


@pytest.mark.parametrize(
    "result",
    [
        CheckOutcome(reason=None, size=9, sha256="a" * 64, cleaned={"version_id": "c1", "removed": ["script"]}),
        CheckOutcome(reason=RejectionReason.PASSWORD, size=9, sha256="a" * 64),
    ],
)
def test_a_check_result_is_read_as_it_was_built(result):
    """The two functions that exchange it are deployed separately."""
    event = build_event("cart.documents", "Document Checked", build_check_result(UPLOADED, result))

    assert parse_event(event) == (UPLOADED, result)


@pytest.mark.parametrize("request_", [CheckRequest(check=True, malware=False), CheckRequest(check=True, malware=True)])
def test_a_request_is_read_as_it_was_built(request_):
    """It names what is missing."""
    event = build_event("cart.documents", "Document Check Requested", build_check_request(UPLOADED, request_))

    assert parse_event(event) == (UPLOADED, request_)


@pytest.mark.parametrize(
    "event",
    [
        build_event("aws.s3", "Object Created", {"bucket": {"name": "b"}, "object": {"key": "cleaned/x"}}),
        build_event(
            "evil", "Document Checked", build_check_result(UPLOADED, CheckOutcome(reason=None, size=1, sha256=""))
        ),
        build_event(
            "cart.scanner",
            "Document Checked",
            {
                "s3ObjectDetails": build_check_request(UPLOADED, CheckRequest(check=True, malware=True))[
                    "s3ObjectDetails"
                ]
            },
        ),
    ],
)
def test_an_event_about_something_else_is_ignored(event):
    """The copies of the check are in the same bucket."""
    assert parse_event(event) is None


def test_the_key_of_an_upload_names_its_document():
    """With random ids only, so it can be in an address."""
    assert build_upload_key(REFERRAL_ID, DOCUMENT_ID) == KEY
    assert parse_upload_key(KEY) == (REFERRAL_ID, DOCUMENT_ID)


@pytest.mark.parametrize(
    "key", ["uploads/x", f"uploads/{REFERRAL_ID}", f"{KEY}/..", f"cleaned/{REFERRAL_ID}/{DOCUMENT_ID}"]
)
def test_another_key_names_no_document(key):
    """It does not matter who wrote it there."""
    assert parse_upload_key(key) is None
