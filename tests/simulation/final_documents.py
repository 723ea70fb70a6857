"""Compares documents, their files and their notices in the end with what was added, scanned and removed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from chalicelib import wiring
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import Item
from tests.simulation.final_notices import find_people
from tests.simulation.notice_oracle import NoticeOracle
from tests.simulation.year_filer import ExpectedDocument, YearFiler

_OPEN = frozenset({"awaiting_upload", "checking"})
_OTHER = {"practice": "center", "center": "practice"}


def find_wrong_documents(
    stores: Stores, oracle: NoticeOracle, filer: YearFiler, tasks: Sequence[Item], notices: Sequence[Item]
) -> Iterator[str]:
    """Yield what is wrong with the documents of a referral, and with who was notified."""
    referral_id, scope = oracle.visits.referral_id, oracle.course.practice.tenant_id
    expected: Counter[tuple[str, str]] = Counter()
    for side, other in _OTHER.items():
        expected["document.shared", other] += filer.sent[referral_id, side]
    expected["information.requested", ""] += filer.asked[referral_id]
    for document in (each for each in filer.documents if each.oracle is oracle):
        stored = stores.documents.get(referral_id, document.document_id, scope=scope)
        if stored is None:
            yield f"{document.document_id} is lost"
            continue
        state = stored.state.value
        yield from _find_wrong_state(document, state)
        if stored.shared_at:
            expected["document.shared", _OTHER[document.side]] += 1
            expected["document.deleted", _OTHER[document.side]] += state != "available"
        if state == "rejected":
            is_malware = stored.rejected_because == "malware"
            expected["document.malware" if is_malware else "document.rejected", document.side] += 1
        if document.item and stored.shared_at:
            request = stores.information_requests.get(referral_id, document.item.request_id, scope=scope)
            referral = stores.referrals.get(referral_id)
            is_gone = state != "available" and referral is not None and referral.stage not in TERMINAL_STAGES
            is_open = request is None or request.is_item_open(document.item.item_id)
            if is_open and state == "available":
                yield f"{document.document_id} was shared, and its item waits for an answer"
            if is_gone and not is_open:
                yield f"{document.document_id} is {state}, and its item counts as answered"
    yield from _find_wrong_notices(oracle, filer, tasks, notices, +expected)


def _find_wrong_state(document: ExpectedDocument, state: str) -> Iterator[str]:
    if state in _OPEN:
        yield f"{document.document_id} is {state} in the end"
    if state == "available" and not document.may_be_read:
        yield f"{document.document_id} is available: {document}"
    if state != "available" and document.must_be_read:
        yield f"{document.document_id} is {state}, and must be available"


def _find_wrong_notices(
    oracle: NoticeOracle,
    filer: YearFiler,
    tasks: Sequence[Item],
    notices: Sequence[Item],
    expected: Mapping[tuple[str, str], int],
) -> Iterator[str]:
    rules = ("document.shared", "document.deleted", "document.rejected", "document.malware", "information.requested")
    rows = [row for row in tasks if row["rule"] in rules]
    counted = Counter((str(row["rule"]), str(row.get("side") or "")) for row in rows)
    if counted != expected:
        yield f"the notices of documents are {dict(counted)}, and must be {dict(expected)}"
    for row in rows:
        if row["state"] != "done":
            yield f"{row['rule']} is {row['state']} in the end"
        times = Counter(each["member_id"] for each in notices if each["outbox_id"] == row["outbox_id"])
        people = find_people(oracle, filer.staff, [row.get("side") or "practice"])
        if times.keys() != people or max(times.values(), default=0) > 1:
            yield f"{row['rule']} was sent to {dict(times)}, and must be sent once to {sorted(people)}"


def find_wrong_files(stores: Stores, filer: YearFiler) -> Iterator[str]:
    """Yield each file that is kept although no one may read it, and each that is lost."""
    settings = wiring.get_settings()
    kept = Counter(_list_keys(settings.documents_bucket))
    for document in filer.documents:
        referral_id, scope = document.oracle.visits.referral_id, document.oracle.course.practice.tenant_id
        stored = stores.documents.get(referral_id, document.document_id, scope=scope)
        copies = kept.pop(f"{referral_id}/{document.document_id}", 0)
        if copies != (stored is not None and stored.state.value == "available"):
            yield f"{document.document_id} is {stored and stored.state.value}, and has {copies} copies"
    yield from (f"{key} belongs to no document" for key in kept)
    yield from (f"{key} is still in quarantine" for key in _list_keys(settings.quarantine_bucket))


def _list_keys(bucket: str) -> Iterator[str]:
    for page in wiring.get_aws_client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket):
        yield from (row["Key"] for row in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())))
