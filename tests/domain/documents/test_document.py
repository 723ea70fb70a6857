"""What the news about a file does to a document, in any order, late, twice, or about another version."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from chalicelib.domain.documents import document as documents
from chalicelib.domain.documents.document import (
    AnnouncedFile,
    CleanedFile,
    Deletion,
    Document,
    DocumentState,
    FileCheck,
    ScanStatus,
    ScanVerdict,
)
from chalicelib.domain.documents.file_types import FileType
from chalicelib.domain.documents.reasons import DeletionReason, RejectionReason
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.factories import NOON
from tests.support.referral_values import build_referral

CLEANED = CleanedFile(version_id="c1", size=900, sha256="b" * 64, pages=3)
LATER = NOON + timedelta(minutes=5)


def build_document(**changed):
    announced = AnnouncedFile(name="scan.pdf", type=FileType.PDF, size=1000, sha256="a" * 64)
    values: dict[str, Any] = {
        "document_id": "doc_1",
        "kind": "imaging",
        "side": Actor.PRACTICE,
        "added_by_id": "mbr_1",
        "added_by": "R. Coordinator",
        "added_at": NOON,
        "state": DocumentState.AWAITING_UPLOAD,
        "announced": announced,
    }
    return Document(**(values | changed))


def arrive(version_id="v1"):
    return lambda document: documents.note_upload(document, version_id, at=LATER)


def check(version_id="v1", reason=None):
    result = FileCheck(version_id=version_id, at=LATER, reason=reason, cleaned=None if reason else CLEANED)
    return lambda document: documents.note_check(document, result)


def scan(status=ScanStatus.CLEAN, version_id="v1"):
    result = ScanVerdict(version_id=version_id, at=LATER, status=status, engine="test")
    return lambda document: documents.note_verdict(document, result)


def follow(*news, start=None):
    document = start or build_document()
    for tell in news:
        document = tell(document)
    return document


@pytest.mark.parametrize("order", list(permutations([arrive(), check(), scan()])))
def test_a_file_is_ready_after_both_results_in_any_order(order):
    """The news that the file arrived can also come last."""
    complete = follow(*order)

    assert complete.is_ready_to_share
    assert complete.state is DocumentState.CHECKING


@pytest.mark.parametrize("news", [(arrive(), check()), (arrive(), scan()), (arrive(),), ()])
def test_one_good_result_is_not_enough(news):
    """The other one may still refuse it."""
    assert not follow(*news).is_ready_to_share


@pytest.mark.parametrize("news", [arrive(), check(), scan()])
def test_news_that_comes_twice_changes_nothing(news):
    """The same object: there is nothing to write."""
    once = follow(arrive(), check(), scan())

    assert news(once) is once


@pytest.mark.parametrize("news", [arrive("v2"), check("v2"), scan(version_id="v2"), scan(ScanStatus.INFECTED, "v2")])
def test_news_about_another_version_changes_nothing(news):
    """The upload form was used again: what was checked first is what counts."""
    bound = follow(arrive("v1"))

    assert news(bound) is bound


def test_a_check_that_refuses_rejects_the_file():
    """At once, without waiting for the scan."""
    refused = follow(arrive(), check(reason=RejectionReason.PASSWORD))

    assert (refused.state, refused.rejected_because) == (DocumentState.REJECTED, RejectionReason.PASSWORD)


@pytest.mark.parametrize("news", [check(), scan(), scan(ScanStatus.INFECTED), arrive()])
def test_a_rejected_file_stays_rejected(news):
    """Good news that comes later does not open it."""
    refused = follow(arrive(), check(reason=RejectionReason.PASSWORD))

    assert news(refused) is refused


@pytest.mark.parametrize("news", [(scan(ScanStatus.INFECTED),), (check(), scan(ScanStatus.INFECTED))])
def test_malware_rejects_the_file(news):
    """Before or after its check."""
    assert follow(*news).rejected_because is RejectionReason.MALWARE


def test_malware_that_a_later_scan_finds_withdraws_a_shared_file():
    """A clean scan before it does not count anymore, and the copy is no longer referenced."""
    shared = documents.share(follow(check(), scan()), CLEANED, at=LATER)
    withdrawn = scan(ScanStatus.INFECTED)(shared)

    assert (withdrawn.state, withdrawn.stored) == (DocumentState.REJECTED, None)
    assert withdrawn.is_visible_to(Actor.CENTER)


def test_a_clean_scan_after_malware_opens_nothing():
    """Verdicts can contradict each other; the worse one counts."""
    infected = follow(check(), scan(ScanStatus.INFECTED))

    assert scan()(infected) is infected


def test_a_failed_scan_waits_for_another_one():
    """It says nothing about the file."""
    waiting = follow(check(), scan(ScanStatus.FAILED))

    assert waiting.state is DocumentState.CHECKING
    assert scan()(waiting).is_ready_to_share


def test_a_file_that_no_engine_can_scan_is_rejected():
    """Only a clean scan opens a file."""
    assert follow(check(), scan(ScanStatus.UNSUPPORTED)).rejected_because is RejectionReason.NOT_SCANNABLE


def test_news_after_a_removal_changes_nothing():
    """The person removed it while it was checked."""
    deletion = Deletion(reason=DeletionReason.CANCELED, at=LATER, by_id="mbr_1", by="R. Coordinator")
    removed = documents.delete(follow(arrive()), deletion)

    assert follow(check(), scan(), scan(ScanStatus.INFECTED), start=removed) is removed


@pytest.mark.parametrize(
    ("news", "reason"),
    [
        ((), RejectionReason.NOT_UPLOADED),
        ((arrive(),), RejectionReason.CHECK_UNAVAILABLE),
        ((scan(),), RejectionReason.CHECK_UNAVAILABLE),
        ((check(),), RejectionReason.SCAN_UNAVAILABLE),
        ((check(), scan()), None),
        ((check(reason=RejectionReason.DAMAGED),), None),
    ],
)
def test_a_file_that_waits_too_long_says_what_is_missing(news, reason):
    """Nothing is missing of a file that is ready or was refused."""
    assert documents.find_expiry_reason(follow(*news)) is reason


def test_each_change_of_state_has_a_row_in_the_history():
    """With the time when it became true."""
    shared = documents.share(follow(arrive(), check(), scan()), CLEANED, at=LATER)

    assert [step.state for step in shared.history] == [DocumentState.CHECKING, DocumentState.AVAILABLE]


def test_the_other_side_sees_a_file_only_after_it_was_shared():
    """Its own side sees it from the start."""
    waiting = follow(arrive())
    shared = documents.share(follow(check(), scan()), CLEANED, at=LATER)

    assert waiting.is_visible_to(Actor.PRACTICE)
    assert not waiting.is_visible_to(Actor.CENTER)
    assert shared.is_visible_to(Actor.CENTER)


SHARED = documents.share(follow(check(), scan()), CLEANED, at=LATER)


def accepted(minutes):
    return build_referral(Stage.ACCEPTED, stage_entered_at={Stage.ACCEPTED: LATER + timedelta(minutes=minutes)})


@pytest.mark.parametrize(
    ("document", "referral", "side", "reason", "allowed"),
    [
        (SHARED, accepted(-1), Actor.PRACTICE, DeletionReason.DUPLICATE, True),
        (SHARED, accepted(1), Actor.PRACTICE, DeletionReason.DUPLICATE, False),
        (SHARED, accepted(1), Actor.PRACTICE, DeletionReason.WRONG_PATIENT, True),
        (SHARED, accepted(-1), Actor.CENTER, DeletionReason.WRONG_PATIENT, False),
        (follow(arrive()), accepted(1), Actor.PRACTICE, DeletionReason.CANCELED, True),
        (
            replace(SHARED, state=DocumentState.DELETED),
            accepted(-1),
            Actor.PRACTICE,
            DeletionReason.WRONG_PATIENT,
            False,
        ),
    ],
)
def test_a_side_removes_its_own_document_until_a_decision_rests_on_it(document, referral, side, reason, allowed):
    """Except another patient's record, which must never stay."""
    assert documents.can_delete(document, referral, side, reason) is allowed


@pytest.mark.parametrize(
    ("document", "side", "allowed"),
    [
        (build_document(announced=None, state=DocumentState.SENT_OUTSIDE), Actor.CENTER, True),
        (build_document(announced=None, state=DocumentState.SENT_OUTSIDE), Actor.PRACTICE, False),
        (SHARED, Actor.CENTER, False),
    ],
)
def test_only_the_other_side_reports_the_arrival_of_what_was_sent_outside(document, side, allowed):
    """The sender cannot know."""
    assert documents.can_report_arrival(document, side) is allowed
