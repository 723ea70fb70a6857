"""Adds, uploads, scans, opens and removes documents in a year, as people, S3, the check and the scanner do."""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib import wiring
from chalicelib.domain.documents.check_events import (
    CHECK_SOURCE,
    DOCUMENT_CHECKED,
    GUARDDUTY,
    OBJECT_CREATED,
    OBJECT_SCANNED,
    S3_SOURCE,
    CheckOutcome,
    build_check_result,
)
from chalicelib.domain.documents.document import AnnouncedFile, AnsweredItem, Channel, SentRecord
from chalicelib.domain.documents.file_types import FileType, LinkDisplay
from chalicelib.domain.documents.reasons import DeletionReason
from chalicelib.domain.identity.members import Member
from chalicelib.services.documents.add import NewDocument, add_document
from chalicelib.services.documents.change import remove_document
from chalicelib.services.documents.news import record_event
from chalicelib.services.documents.read import create_link
from chalicelib.services.referrals.information_requests import request_information
from chalicelib.store.platform.idempotency import StoredResponse
from tests.simulation.known_events import DAY, MINUTE, ReferralHistory, draw_days
from tests.simulation.notice_oracle import NoticeOracle
from tests.simulation.year_members import YearMembers
from tests.simulation.year_sender import DONE, YearSender
from tests.support.service_driver import ServiceDriver

CONTENT = b"%PDF-1.7 a page"
_GIVES_UP_AFTER = timedelta(minutes=60)
PlayLater = Callable[[timedelta, Callable[[ServiceDriver], None]], None]


def draw_document_steps(drawn: random.Random, course: ReferralHistory) -> Iterator[tuple[datetime, str]]:
    """Draw when people add documents, in the six weeks after the submission."""
    at = course.news[0].at
    for _ in range(drawn.randint(0, 2)):
        at += draw_days(drawn, 0.1, 14)
        what = drawn.choice(["file", "file", "file", "answer", "sent"])
        yield at.replace(second=drawn.randint(1, 29), microsecond=drawn.randrange(10**6)), what


@dataclass(slots=True)
class ExpectedDocument:
    """A file as far as it is known.

    Attributes:
        side: The side that added it.
        news_at: When the product first heard of the upload.
        checked_at, clean_at, infected_at: When these results became known.
        item: The request and the item that it answers.
    """

    oracle: NoticeOracle
    side: str
    document_id: str = ""
    version_id: str = ""
    news_at: datetime | None = None
    checked_at: datetime | None = None
    clean_at: datetime | None = None
    infected_at: datetime | None = None
    removed_at: datetime | None = None
    item: AnsweredItem | None = None

    @property
    def may_be_read(self) -> bool:
        """Whether someone may get a link: it was checked, is clean, and was not removed."""
        is_gone = self.infected_at or self.removed_at
        return bool(self.checked_at and self.clean_at) and not is_gone

    @property
    def must_be_read(self) -> bool:
        """Whether both results came before the product gives up, and while the referral was open."""
        if not (self.may_be_read and self.checked_at and self.clean_at and self.news_at):
            return False
        ready_at = max(self.checked_at, self.clean_at)
        return ready_at - self.news_at < _GIVES_UP_AFTER and not self.oracle.find_ending_before(ready_at)


@dataclass
class YearFiler:
    """Acts for all referrals.

    Attributes:
        documents: Every file that was announced.
        sent: How many documents were sent another way, by referral and side.
        asked: How many information requests there are, by referral.
    """

    drawn: random.Random
    staff: YearMembers
    sender: YearSender
    play_later: PlayLater
    documents: list[ExpectedDocument] = field(default_factory=list)
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    _number: int = 0

    def act(self, what: str, oracle: NoticeOracle, driver: ServiceDriver) -> None:
        """Do one step for a referral."""
        if not oracle.rings.stays:
            return
        side, item = self.drawn.choice(["practice", "practice", "center"]), None
        if what == "answer" and oracle.rings.stays[-1].stage != "submitted":
            side, item = "practice", self._ask(oracle, driver)
        self._add(side, oracle, driver, item, is_file=what != "sent")

    def _ask(self, oracle: NoticeOracle, driver: ServiceDriver) -> AnsweredItem | None:
        """The center asks for a document; None if the referral has ended."""
        member, referral_id = self._person(oracle, "center"), oracle.visits.referral_id
        self._number += 1
        request = driver.build_request(member, f"POST {referral_id}/information-requests", f"ask {self._number}")
        answers: list[Mapping[str, Any]] = []

        def send() -> None:
            response = request_information(
                referral_id,
                [f"Report {self._number}"],
                None,
                member=member,
                request=request,
                build_response=lambda _, asked: StoredResponse(
                    status=201,
                    headers={},
                    body={"request_id": asked.request_id, "item_id": asked.items[0].item_id},
                ),
                context=driver.context,
            )
            answers.append(response.body)

        verdict = "referral_closed" if oracle.is_ended else DONE
        if self.sender.expect(verdict, f"{oracle.course.name} ask", send) != DONE:
            return None
        self.asked[referral_id] += 1
        return AnsweredItem(request_id=answers[-1]["request_id"], item_id=answers[-1]["item_id"])

    def _add(
        self, side: str, oracle: NoticeOracle, driver: ServiceDriver, item: AnsweredItem | None, *, is_file: bool
    ) -> None:
        member, referral_id = self._person(oracle, side), oracle.visits.referral_id
        digest = hashlib.sha256(CONTENT).hexdigest()
        file = AnnouncedFile(name="scan.pdf", type=FileType.PDF, size=len(CONTENT), sha256=digest)
        sent = SentRecord(channel=Channel.FAX, sent_on=driver.now.date())
        new = NewDocument(
            kind="imaging", file=file if is_file else None, sent=None if is_file else sent, answers=item, note=None
        )
        self._number += 1
        request = driver.build_request(member, f"POST {referral_id}/documents", f"document {self._number}")
        expected = ExpectedDocument(oracle, side, item=item)

        def send() -> None:
            response = add_document(
                referral_id,
                new,
                member=member,
                request=request,
                build_response=lambda _, document, __: StoredResponse(
                    status=201, headers={}, body={"document_id": document.document_id}
                ),
                context=driver.context,
            )
            expected.document_id = response.body["document_id"]

        verdict = "referral_closed" if oracle.is_ended else DONE
        if self.sender.expect(verdict, f"{oracle.course.name} document", send) != DONE:
            return
        if not is_file:
            self.sent[referral_id, side] += 1
            return
        self.documents.append(expected)
        self._plan_news(expected)

    def _plan_news(self, document: ExpectedDocument) -> None:
        """Draw when it is uploaded, and when each result arrives: in any order, late, twice, or never."""
        upload = self.drawn.uniform(0.5, 5) * MINUTE
        if self.drawn.random() < 0.1:
            return
        self.play_later(upload, partial(self._upload, document))
        for what, chance in (("arrived", 0.9), ("checked", 0.95), ("scanned", 0.95), ("infected", 0.1)):
            delays = [1, 5, 20, 90] if what != "infected" else [3 * 1440]
            for _ in range(2 if self.drawn.random() < 0.3 else 1):
                if self.drawn.random() < chance:
                    delay = upload + self.drawn.choice(delays) * self.drawn.uniform(0.3, 1.2) * MINUTE
                    self.play_later(delay, partial(self._report, what, document))
        for _ in range(3):
            delay = self.drawn.choice([0.002, 0.02, 0.2, 5]) * self.drawn.uniform(1, 2) * DAY
            self.play_later(delay, partial(self._open, document))
        if self.drawn.random() < 0.4:
            delay = self.drawn.choice([0.003, 0.5, 4]) * self.drawn.uniform(1, 2) * DAY
            self.play_later(delay, partial(self._remove, document))

    def _upload(self, document: ExpectedDocument, _driver: ServiceDriver) -> None:
        stored = wiring.get_aws_client("s3").put_object(
            Bucket=wiring.get_settings().quarantine_bucket,
            Key=f"uploads/{document.oracle.visits.referral_id}/{document.document_id}",
            Body=CONTENT,
            ContentType=FileType.PDF,
        )
        document.version_id = stored["VersionId"]

    def _report(self, what: str, document: ExpectedDocument, driver: ServiceDriver) -> None:
        """Deliver an event about the upload, until the product has recorded it."""
        event = self._build_event(what, document, driver)
        send = partial(record_event, event, scanners=frozenset({GUARDDUTY}), context=driver.context)
        if self.sender.expect(DONE, f"{document.oracle.course.name} {what}", send) != DONE:
            return
        document.news_at = document.news_at or driver.now
        match what:
            case "checked":
                document.checked_at = document.checked_at or driver.now
            case "scanned":
                document.clean_at = document.clean_at or driver.now
            case "infected":
                document.infected_at = document.infected_at or driver.now

    def _build_event(self, what: str, document: ExpectedDocument, driver: ServiceDriver) -> Mapping[str, Any]:
        files, referral_id = driver.stores.files, document.oracle.visits.referral_id
        uploaded = files.name_upload(referral_id, document.document_id, document.version_id)
        if what == "arrived":
            created = {"key": uploaded.key, "version-id": uploaded.version_id}
            detail: Mapping[str, Any] = {"bucket": {"name": uploaded.bucket}, "object": created}
            return {"source": S3_SOURCE, "detail-type": OBJECT_CREATED, "detail": detail}
        if what == "checked":
            copy = wiring.get_aws_client("s3").put_object(
                Bucket=uploaded.bucket, Key=uploaded.cleaned_key, Body=CONTENT, ContentType=FileType.PDF
            )
            digest = hashlib.sha256(CONTENT).hexdigest()
            cleaned = {"version_id": copy["VersionId"], "size": len(CONTENT), "sha256": digest, "pages": 1}
            outcome = CheckOutcome(reason=None, size=len(CONTENT), sha256=digest, cleaned={**cleaned, "removed": []})
            detail = build_check_result(uploaded, outcome)
            return {"source": CHECK_SOURCE, "detail-type": DOCUMENT_CHECKED, "detail": detail}
        found = {"scanResultStatus": "THREATS_FOUND" if what == "infected" else "NO_THREATS_FOUND", "threats": None}
        named = {"bucketName": uploaded.bucket, "objectKey": uploaded.key, "versionId": uploaded.version_id}
        detail = {"scanStatus": "COMPLETED", "s3ObjectDetails": named, "scanResultDetails": found}
        return {"source": GUARDDUTY, "detail-type": OBJECT_SCANNED, "detail": detail}

    def _open(self, document: ExpectedDocument, driver: ServiceDriver) -> None:
        """Someone of either side asks for a link."""
        member = self._person(document.oracle, self.drawn.choice(["practice", "center"]))
        send = partial(
            create_link,
            document.oracle.visits.referral_id,
            document.document_id,
            self.drawn.choice(list(LinkDisplay)),
            member=member,
            context=driver.context,
        )
        answer = self.sender.send(send)
        name = f"{document.oracle.course.name}: {document.document_id}"
        if answer == DONE and not document.may_be_read:
            self.sender.wrong.append(f"{name} can be read at {driver.now}: {document}")
        if answer != DONE and document.must_be_read:
            self.sender.wrong.append(f"{name} cannot be read at {driver.now}: {answer}")
        self.sender.answered[f"open {answer}"] += 1

    def _remove(self, document: ExpectedDocument, driver: ServiceDriver) -> None:
        """The side that added it removes it: before the checks are complete, or because it is another patient's."""
        oracle = document.oracle
        member, referral_id = self._person(oracle, document.side), oracle.visits.referral_id
        stored = driver.stores.documents.get(referral_id, document.document_id, scope=oracle.course.practice.tenant_id)
        if stored is None or stored.state.value in {"rejected", "deleted"}:
            return
        is_open = stored.state.value in {"awaiting_upload", "checking"}
        send = partial(
            remove_document,
            referral_id,
            document.document_id,
            DeletionReason.CANCELED if is_open else DeletionReason.WRONG_PATIENT,
            version=stored.version,
            member=member,
            context=driver.context,
        )
        if self.sender.expect(DONE, f"{oracle.course.name} removed", send, done_before="stale") == DONE:
            document.removed_at = driver.now

    def _person(self, oracle: NoticeOracle, side: str) -> Member:
        tenant = oracle.course.practice if side == "practice" else oracle.course.center
        return self.staff.people[tenant.tenant_id][0]
