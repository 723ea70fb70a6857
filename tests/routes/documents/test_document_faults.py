"""Documents while AWS fails: at every call, before and after it. The repeat of the request or event completes it."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.store.documents.files import DocumentFiles
from tests.support import aws_fakes as cloud
from tests.support import faults
from tests.support.document_driver import PDF
from tests.support.faults import FaultMode, SimulatedCrash
from tests.support.stores import get_aws_client


def fail_at(number: int, mode: FaultMode) -> faults.FaultPlan:
    """A fault at one call only."""
    return lambda count, _operation: mode if count == number else None


@pytest.fixture(autouse=True)
def much_space(monkeypatch):
    """Each call gets a document of its own."""
    monkeypatch.setattr("chalicelib.store.documents.documents.MAX_FILES", 1000)


def prepare(documents):
    """A file with a good check, which the scan will share."""
    cloud.forget_rate_limits()
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.check(document_id, version_id)
    return document_id, version_id


def count_calls(documents):
    """How many calls the last news of a file makes."""
    document_id, version_id = prepare(documents)
    with faults.inject_faults(faults.plan_never) as calls:
        documents.scan(document_id, version_id)
    return len(calls.operations)


def list_shared(documents):
    timeline = documents.api.center.get(f"/v1/referrals/{documents.referral_id}/events?limit=100").json["items"]
    return [entry["data"]["document_id"] for entry in timeline if entry["type"] == "document.shared"]


@pytest.mark.parametrize("mode", [FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER])
def test_a_run_that_crashes_at_any_call_is_completed_by_its_repeat(documents, mode):
    """The file is shared once, and the link opens the copy that the record names."""
    for number in range(1, count_calls(documents) + 1):
        document_id, version_id = prepare(documents)
        with (
            faults.inject_faults(fail_at(number, mode)) as calls,
            pytest.raises(SimulatedCrash),
        ):
            documents.scan(document_id, version_id)
        documents.scan(document_id, version_id)
        document = wiring.get_stores().documents.get(
            documents.referral_id, document_id, scope=documents.api.members["practice"].tenant_id
        )

        assert calls.count_faults == 1
        assert document is not None
        assert document.stored is not None
        assert document.state == "available", f"call {number}"
        assert list_shared(documents).count(document_id) == 1, f"call {number}"
        get_aws_client("s3").head_object(
            Bucket=cloud.DOCUMENTS,
            Key=f"{documents.referral_id}/{document_id}",
            VersionId=document.stored.version_id,
        )


@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.LOST_REPLY, FaultMode.TWICE])
def test_a_fault_of_any_call_shares_the_file_once(documents, mode):
    """The SDK repeats the call, or the run fails and is repeated."""
    for number in range(1, count_calls(documents) + 1):
        document_id, version_id = prepare(documents)
        with faults.inject_faults(fail_at(number, mode)):
            documents.scan(document_id, version_id)
        documents.scan(document_id, version_id)

        assert list_shared(documents).count(document_id) == 1, f"call {number}"


def test_an_announcement_whose_reply_was_lost_makes_one_document(documents):
    """The browser repeats it with the same key."""

    def lose_replies(_number, operation):
        return FaultMode.LOST_REPLY if operation == "TransactWriteItems" else None

    body = {"kind": "imaging", "file": {"name": "a.pdf", "type": "application/pdf", "size": 9, "sha256": "a" * 64}}
    with faults.inject_faults(lose_replies):
        first = documents.api.practice.post(documents.path, body, key="lost")
    again = documents.api.practice.post(documents.path, body, key="lost")

    assert (first.status, again.status) == (503, 201)
    assert len(documents.api.practice.get(documents.path).json["items"]) == 1


def test_storage_that_fails_keeps_the_removal_of_files_in_the_outbox(documents):
    """Nothing of a removed file may stay because storage was down."""
    document_id = documents.share()
    documents.remove(document_id, "wrong_patient")

    def break_storage(_number, operation):
        return FaultMode.REFUSED if operation in {"DeleteObject", "ListObjectVersions"} else None

    with faults.inject_faults(break_storage), pytest.raises(Exception, match="tasks failed"):
        documents.run_tasks()
    kept = documents.list_versions(cloud.DOCUMENTS)
    documents.run_tasks(after=timedelta(minutes=30))

    assert kept == [f"{documents.referral_id}/{document_id}"]
    assert documents.list_versions(cloud.DOCUMENTS) == []


def test_two_runs_that_share_one_file_at_once_leave_one_event(documents):
    """EventBridge delivered the result twice at the same moment; the loser reads again and finds it shared."""
    document_id, version_id = prepare(documents)
    twin: list[int] = []

    def interrupt(_number, operation):
        if operation == "TransactWriteItems" and not twin:
            twin.append(1)
            documents.scan(document_id, version_id)

    with faults.inject_faults(interrupt):
        documents.scan(document_id, version_id)

    assert list_shared(documents).count(document_id) == 1
    assert documents.open(document_id).status == 201
    assert documents.get(document_id)["file"]["size"] == len(PDF)


@pytest.fixture
def late_copy(documents, monkeypatch):
    """A file whose copy for people is stored only after its sender canceled it and its copies were removed."""
    document_id, version_id = prepare(documents)

    def copy_too_late(_files, _referral_id, document, _cleaned):
        documents.remove(document.document_id, "canceled")
        documents.run_tasks()
        key = f"{documents.referral_id}/{document.document_id}"
        return get_aws_client("s3").put_object(Bucket=cloud.DOCUMENTS, Key=key, Body=PDF)["VersionId"]

    monkeypatch.setattr(DocumentFiles, "promote", copy_too_late)
    return document_id, version_id


def test_a_copy_that_is_stored_after_the_removal_is_removed_too(documents, late_copy):
    """It can be another patient's record, and no one would look for it again."""
    documents.scan(*late_copy)

    assert documents.list_versions(cloud.DOCUMENTS) == []


def test_a_run_that_ends_after_a_late_copy_leaves_it_for_an_hour_at_most(documents, late_copy, monkeypatch):
    """Even if the event is never repeated."""
    copy_too_late = DocumentFiles.promote

    def copy_and_crash(*arguments):
        copy_too_late(*arguments)
        raise SimulatedCrash

    monkeypatch.setattr(DocumentFiles, "promote", copy_and_crash)
    with pytest.raises(SimulatedCrash):
        documents.scan(*late_copy)
    kept = documents.list_versions(cloud.DOCUMENTS)
    documents.run_tasks(after=timedelta(hours=1, minutes=1))

    assert len(kept) == 1
    assert documents.list_versions(cloud.DOCUMENTS) == []


def test_a_copy_that_the_record_does_not_name_is_removed(documents):
    """A run copied the file and died, and its repeat copied it again."""
    document_id, version_id = prepare(documents)
    documents.scan(document_id, version_id)
    key = f"{documents.referral_id}/{document_id}"
    get_aws_client("s3").put_object(Bucket=cloud.DOCUMENTS, Key=key, Body=PDF)
    copies = len(documents.list_versions(cloud.DOCUMENTS))

    documents.run_tasks(after=timedelta(hours=1, minutes=1))

    assert len(documents.list_versions(cloud.DOCUMENTS)) == copies - 1
    assert documents.open(document_id).status == 201
