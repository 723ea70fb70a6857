"""News about a file in the wrong order, late, twice, about another version, or never."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.store.platform.transactions import Transactions
from tests.support import aws_fakes as cloud
from tests.support.document_driver import PDF
from tests.support.stores import get_aws_client
from tests.support.uploaded_files import build_pdf


@pytest.mark.parametrize(
    "order", [("arrive", "check", "scan"), ("scan", "check", "arrive"), ("check", "scan", "arrive")]
)
def test_a_file_is_shared_once_in_any_order_of_its_news(documents, order):
    """Each also comes twice, as EventBridge delivers at least once."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    for step in (*order, *order):
        getattr(documents, step)(document_id, version_id)
    timeline = documents.api.center.get(f"/v1/referrals/{documents.referral_id}/events").json["items"]

    assert documents.get(document_id)["state"] == "available"
    assert [entry["type"] for entry in timeline].count("document.shared") == 1
    assert documents.list_versions(cloud.DOCUMENTS) == [f"{documents.referral_id}/{document_id}"]


def test_an_upload_that_is_repeated_after_the_check_changes_nothing(documents):
    """The form can be used again until it expires; what is served stays what was checked."""
    document_id = documents.share()
    before = get_aws_client("s3").head_object(Bucket=cloud.DOCUMENTS, Key=f"{documents.referral_id}/{document_id}")
    version = documents.get(document_id)["version"]
    again = documents.upload(document_id, build_pdf(9))
    documents.arrive(document_id, again)
    documents.check(document_id, again)
    documents.scan(document_id, again)
    after = get_aws_client("s3").head_object(Bucket=cloud.DOCUMENTS, Key=f"{documents.referral_id}/{document_id}")

    assert documents.get(document_id)["version"] == version
    assert after["VersionId"] == before["VersionId"]
    assert documents.list_versions() == []


def test_an_upload_that_is_repeated_during_the_check_is_removed(documents):
    """The first version counts, whatever the second one is."""
    document_id = documents.add()
    first = documents.upload(document_id)
    documents.arrive(document_id, first)
    second = documents.upload(document_id, build_pdf(9))
    documents.arrive(document_id, second)
    documents.scan(document_id, second, "THREATS_FOUND")
    documents.check(document_id, first)
    documents.scan(document_id, first)

    assert documents.get(document_id)["file"]["pages"] == 2
    assert documents.get(document_id)["state"] == "available"


def test_a_clean_scan_of_another_version_does_not_open_the_file(documents):
    """Only a scan of the version that was checked counts."""
    document_id = documents.add()
    first = documents.upload(document_id)
    documents.check(document_id, first)
    documents.scan(document_id, documents.upload(document_id, build_pdf(9)))

    assert documents.get(document_id)["state"] == "checking"


def test_malware_that_is_found_later_withdraws_a_shared_file(documents):
    """Both sides see it; nothing of it stays."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.check(document_id, version_id)
    documents.scan(document_id, version_id)
    documents.scan(document_id, version_id, "THREATS_FOUND")
    documents.run_tasks()
    seen = documents.get(document_id, documents.api.center)
    timeline = documents.api.center.get(f"/v1/referrals/{documents.referral_id}/events").json["items"]

    assert (seen["state"], seen["rejected_because"]["code"]) == ("rejected", "malware")
    assert documents.open(document_id, documents.api.center).status == 409
    assert [entry["data"]["reason"] for entry in timeline if entry["type"] == "document.deleted"] == ["malware"]
    assert documents.list_versions() == documents.list_versions(cloud.DOCUMENTS) == []


@pytest.mark.parametrize(
    ("outcome", "status", "state"),
    [
        ("UNSUPPORTED", "SKIPPED", "rejected"),
        ("ACCESS_DENIED", "COMPLETED", "checking"),
        ("FAILED", "FAILED", "checking"),
        ("NO_THREATS_FOUND", "FAILED", "checking"),
        ("SOMETHING_NEW", "COMPLETED", "checking"),
    ],
)
def test_only_a_complete_clean_scan_opens_a_file(documents, outcome, status, state):
    """Unreadable is never treated as clean."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.check(document_id, version_id)
    documents.scan(document_id, version_id, outcome, status)

    assert documents.get(document_id)["state"] == state


def test_in_production_only_aws_itself_can_say_that_a_file_is_clean(documents, monkeypatch):
    """Every function that can send events could use any other source."""
    settings = replace(wiring.get_settings(), deployment="production")
    monkeypatch.setattr(wiring, "get_settings", lambda: settings)
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.check(document_id, version_id)
    forged = documents.scan(document_id, version_id, source="cart.scanner")
    waiting = documents.get(document_id)["state"]
    documents.scan(document_id, version_id, source="aws.guardduty")

    assert (forged, waiting) == ({"refused": 1}, "checking")
    assert documents.get(document_id)["state"] == "available"


def test_an_object_that_no_one_announced_is_removed(documents):
    """It does not matter who could write it there."""
    unknown = "doc_" + "a" * 26
    documents.arrive(unknown, documents.upload(unknown))

    assert documents.list_versions() == []


def test_an_event_of_another_bucket_is_ignored(documents):
    """Another stack of the account may have the same names."""
    document_id = documents.add()
    event = documents.build_arrival(document_id, "v1")
    event["detail"]["bucket"]["name"] = "someone-elses"

    assert documents.record(event) == {"ignored": 1}
    assert documents.get(document_id)["state"] == "awaiting_upload"


def test_an_event_without_a_version_means_the_newest_one(documents):
    """As the local cloud sends it."""
    document_id = documents.add()
    documents.upload(document_id)
    event = documents.build_arrival(document_id, "")
    del event["detail"]["object"]["version-id"]
    documents.record(event)

    assert documents.get(document_id)["state"] == "checking"


def test_missing_results_are_requested_again_after_15_minutes(documents):
    """Only those that are missing, of the version that counts."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.check(document_id, version_id)
    documents.run_tasks(after=timedelta(minutes=16))
    (event,) = documents.take_requests()

    assert (event["detail-type"], event["detail"]["missing"]) == ("Document Check Requested", ["malware"])
    assert event["detail"]["s3ObjectDetails"]["versionId"] == version_id


def test_a_request_that_is_not_accepted_is_made_again(documents):
    """The task waits, and is not lost."""
    document_id = documents.add()
    documents.check(document_id, documents.upload(document_id))
    documents.events.failing = True
    with pytest.raises(Exception, match="tasks failed"):
        documents.run_tasks(after=timedelta(minutes=16))
    documents.events.failing = False
    documents.run_tasks(after=timedelta(minutes=32))

    assert len(documents.take_requests()) == 1


@pytest.mark.parametrize(("step", "code"), [("check", "scan_unavailable"), ("scan", "check_unavailable")])
def test_a_file_whose_results_never_come_is_rejected_after_an_hour(documents, step, code):
    """Its sender is notified, and nothing is kept."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.arrive(document_id, version_id)
    getattr(documents, step)(document_id, version_id)
    documents.run_tasks(after=timedelta(minutes=59))
    waiting = documents.get(document_id)["state"]
    documents.run_tasks(after=timedelta(minutes=61))
    documents.run_tasks(after=timedelta(minutes=62))

    assert (waiting, documents.get(document_id)["rejected_because"]["code"]) == ("checking", code)
    assert documents.list_versions() == []


def test_a_result_that_comes_after_the_file_was_given_up_opens_nothing(documents):
    """The scanner was down for an hour; the sender was asked to add the file again."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.check(document_id, version_id)
    documents.run_tasks(after=timedelta(minutes=61))
    documents.scan(document_id, version_id)

    assert documents.get(document_id)["state"] == "rejected"


def test_a_file_that_arrived_although_its_news_was_lost_is_checked_after_an_hour(documents):
    """It is not reported as never uploaded."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.run_tasks(after=timedelta(minutes=61))
    (event,) = documents.take_requests()

    assert documents.get(document_id)["state"] == "checking"
    assert event["detail"] == {
        "s3ObjectDetails": {
            "bucketName": cloud.QUARANTINE,
            "objectKey": documents.build_key(document_id),
            "versionId": version_id,
        },
        "missing": ["check", "malware"],
    }


def test_a_share_that_crashed_after_both_results_is_completed_by_the_next_task(documents, monkeypatch):
    """The last result is stored only with the share, so a repeat of the event shares the file too."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.check(document_id, version_id)
    with monkeypatch.context() as broken:
        broken.setattr(Transactions, "commit", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            documents.scan(document_id, version_id)
    crashed = documents.get(document_id)["state"]
    documents.scan(document_id, version_id)

    assert (crashed, documents.get(document_id)["state"]) == ("checking", "available")


def test_a_copy_that_is_gone_when_the_file_is_shared_is_rejected(documents):
    """A lifecycle rule or a person removed it; a link to nothing would be worse."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.check(document_id, version_id)
    wiring.get_stores().files.remove_from_quarantine(documents.referral_id, document_id)
    documents.scan(document_id, version_id)

    assert documents.get(document_id)["rejected_because"]["code"] == "check_unavailable"


def test_the_announced_bytes_are_the_shared_bytes(documents):
    """The check and the service agree about which file it is."""
    document_id = documents.share(PDF)
    link = documents.open(document_id)

    assert link.status == 201
    assert documents.get(document_id)["file"]["size"] == len(PDF)
