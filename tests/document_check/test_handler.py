"""The check function with S3 and the event bus."""

import hashlib

import pytest
from moto import mock_aws

from document_check import handler
from document_check.handler import ResultNotSentError
from tests.support import aws_fakes as cloud
from tests.support.document_driver import PDF, SentEvents, check_in_process
from tests.support.stores import get_aws_client
from tests.support.uploaded_files import EICAR

KEY = f"uploads/ref_{'a' * 26}/doc_{'b' * 26}"


@pytest.fixture
def events(monkeypatch):
    """Buckets, and the event bus."""
    sent = SentEvents()
    with mock_aws():
        cloud.create_buckets()
        monkeypatch.setattr(handler, "_get_client", lambda name: sent if name == "events" else get_aws_client(name))
        monkeypatch.setattr(handler, "check_in_sandbox", check_in_process)
        yield sent


def put(content=PDF, media_type="application/pdf", key=KEY):
    stored = get_aws_client("s3").put_object(Bucket=cloud.QUARANTINE, Key=key, Body=content, ContentType=media_type)
    return stored["VersionId"]


def build_arrival(version_id, key=KEY):
    detail = {"bucket": {"name": cloud.QUARANTINE}, "object": {"key": key, "version-id": version_id}}
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


def build_request(version_id, *missing):
    named = {"bucketName": cloud.QUARANTINE, "objectKey": KEY, "versionId": version_id}
    detail = {"s3ObjectDetails": named, "missing": missing}
    return {"source": "cart.documents", "detail-type": "Document Check Requested", "detail": detail}


def test_the_result_names_the_version_and_the_copy(events):
    """With digests of both."""
    version_id = put()
    handler.handle(build_arrival(version_id))
    (event,) = events.take()
    result = event["detail"]["result"]
    copy = get_aws_client("s3").get_object(Bucket=cloud.QUARANTINE, Key=KEY.replace("uploads/", "cleaned/"))

    assert event["detail"]["s3ObjectDetails"]["versionId"] == version_id
    assert (result["reason"], result["size"], result["sha256"]) == (None, len(PDF), hashlib.sha256(PDF).hexdigest())
    assert result["cleaned"]["version_id"] == copy["VersionId"]
    assert result["cleaned"]["sha256"] == hashlib.sha256(copy["Body"].read()).hexdigest()


def test_the_version_of_the_event_is_checked_and_not_the_newest(events):
    """The upload form can be used again."""
    version_id = put()
    put(EICAR)
    handler.handle(build_arrival(version_id))

    assert events.take()[0]["detail"]["result"]["reason"] is None


@pytest.mark.parametrize(("content", "media_type"), [(EICAR, "application/pdf"), (PDF, "text/html")])
def test_a_refused_file_leaves_no_copy(events, content, media_type):
    """Only its reason is reported."""
    handler.handle(build_arrival(put(content, media_type)))
    listed = get_aws_client("s3").list_objects_v2(Bucket=cloud.QUARANTINE)

    assert events.take()[0]["detail"]["result"]["reason"] == "wrong_type"
    assert [found["Key"] for found in listed["Contents"]] == [KEY]


def test_a_file_that_is_too_large_is_not_even_read(events, monkeypatch):
    """The upload form refuses it first; this is the second lock."""
    monkeypatch.setattr(handler, "MAX_FILE_BYTES", 10)
    handler.handle(build_arrival(put()))

    assert events.take()[0]["detail"]["result"]["reason"] == "too_large"


def test_a_file_that_was_removed_in_the_meantime_is_no_error(events):
    """The person canceled the upload."""
    assert handler.handle(build_arrival("unknown")) == {"done": "gone"}
    assert events.take() == []


@pytest.mark.usefixtures("events")
def test_the_copies_of_the_check_are_not_checked():
    """They are in the same bucket."""
    assert handler.handle(build_arrival("v1", key="cleaned/x")) == {"done": "ignored"}


def test_a_result_that_is_not_accepted_fails_the_run(events):
    """So that it is repeated."""
    events.failing = True

    with pytest.raises(ResultNotSentError):
        handler.handle(build_arrival(put()))


@pytest.mark.parametrize(("missing", "results"), [(["check"], 1), (["malware"], 0), (["check", "malware"], 1)])
def test_a_request_repeats_only_what_is_missing(events, missing, results):
    """The scan is the scanner's."""
    handler.handle(build_request(put(), *missing))

    assert len(events.take()) == results


def test_a_missing_scan_is_requested_from_guardduty(events, monkeypatch):
    """Where it is the scanner; locally, the scanner reads the same event."""
    asked = []

    class GuardDuty:
        @staticmethod
        def send_object_malware_scan(**request):
            asked.append(request)

    clients = {"events": events, "guardduty": GuardDuty}
    monkeypatch.setattr(handler, "_get_client", lambda name: clients.get(name) or get_aws_client(name))
    monkeypatch.setenv("MALWARE_SCANNER", "guardduty")
    handler.handle(build_request("v1", "malware"))

    assert asked == [{"s3Object": {"bucket": cloud.QUARANTINE, "key": KEY, "versionId": "v1"}}]
