"""Documents of some referrals, in every state that a document can have."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pikepdf

from chalicelib.domain.documents.check_events import CheckOutcome, ScanResult, UploadedObject
from chalicelib.domain.documents.document import AnnouncedFile, Arrival, Channel, Document, DocumentState, SentRecord
from chalicelib.domain.documents.file_types import FileType
from chalicelib.domain.documents.reasons import DeletionReason, RejectionReason
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.services.documents.add import NewDocument, add_document
from chalicelib.services.documents.change import remove_document, report_arrival
from chalicelib.services.documents.news import record_news
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse

P, C = TenantKind.PRACTICE, TenantKind.CENTER
"""Short names for the tables below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFile:
    """A file that was uploaded.

    Attributes:
        ago: How long ago it was added.
        state: Where it is.
        reason: Why it was rejected or removed.
    """

    ago: timedelta
    kind: str
    name: str
    state: DocumentState = DocumentState.AVAILABLE
    reason: RejectionReason | DeletionReason | None = None
    side: TenantKind = P


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFax:
    """Something that was sent another way, and what the center said about it."""

    ago: timedelta
    kind: str
    channel: Channel
    to: str
    pages: int
    arrival: Arrival | None = None


def _hours(number: float) -> timedelta:
    return timedelta(hours=number)


DOCUMENTS: Mapping[int, Sequence[DemoFile | DemoFax]] = {
    22: (
        DemoFile(ago=_hours(30), kind="pathology_report", name="pathology first biopsy.pdf"),
        DemoFile(
            ago=_hours(29),
            kind="imaging",
            name="PET-CT protected.pdf",
            state=DocumentState.REJECTED,
            reason=RejectionReason.PASSWORD,
        ),
        DemoFile(
            ago=_hours(28),
            kind="clinic_notes",
            name="clinic notes.pdf",
            state=DocumentState.DELETED,
            reason=DeletionReason.WRONG_PATIENT,
        ),
        DemoFax(ago=_hours(26), kind="viral_serology", channel=Channel.FAX, to="(410) 555-0188", pages=4),
        DemoFile(ago=_hours(0.1), kind="blood_counts", name="labs today.pdf", state=DocumentState.CHECKING),
        DemoFile(ago=_hours(0.05), kind="insurance_card", name="card.pdf", state=DocumentState.AWAITING_UPLOAD),
    ),
    32: (
        DemoFax(
            ago=_hours(200),
            kind="treatment_summary",
            channel=Channel.PORTAL,
            to="Center portal",
            pages=12,
            arrival=Arrival.RECEIVED,
        ),
        DemoFax(
            ago=_hours(190),
            kind="echocardiogram",
            channel=Channel.FAX,
            to="(410) 555-0188",
            pages=3,
            arrival=Arrival.NOT_FOUND,
        ),
        DemoFile(ago=_hours(100), kind="other", name="consultation letter.pdf", side=C),
    ),
}
"""Documents by the number of the story."""


def build_demo_pdf(title: str) -> bytes:
    """Build a PDF of one page that says that it is fictional."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(612, 792))
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        text = f"BT /F1 18 Tf 72 700 Td ({title}) Tj 0 -30 Td (Fictional patient. Not a medical record.) Tj ET"
        page.Contents = pdf.make_stream(text.encode("ascii"))
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True)
        return out.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPlayer:
    """Adds the documents of one story through the services that people and storage use."""

    story_number: int
    referral_id: str
    members: Mapping[TenantKind, Member]
    stores: Stores
    now: datetime

    def play(self) -> None:
        """Add everything. A second call changes nothing."""
        for number, entry in enumerate(DOCUMENTS.get(self.story_number, ()), start=1):
            if isinstance(entry, DemoFax):
                self._send(entry, number)
            else:
                self._upload(entry, number)

    def _send(self, fax: DemoFax, number: int) -> None:
        context = self._build_context(fax.ago)
        sent = SentRecord(channel=fax.channel, sent_on=context.now.date(), to=fax.to, pages=fax.pages)
        document = self._add(
            NewDocument(kind=fax.kind, file=None, sent=sent, answers=None, note=None), P, number, context
        )
        if fax.arrival and document.arrival is None:
            center = self.members[C]
            report_arrival(
                self.referral_id,
                document.document_id,
                fax.arrival,
                member=center,
                request=self._build_request(center, f"arrival-{number}"),
                build_response=lambda *_: StoredResponse(status=200, headers={}, body={}),
                context=self._build_context(fax.ago - _hours(3)),
            )

    def _upload(self, file: DemoFile, number: int) -> None:
        context, content = self._build_context(file.ago), build_demo_pdf(file.kind)
        announced = AnnouncedFile(
            name=file.name, type=FileType.PDF, size=len(content), sha256=hashlib.sha256(content).hexdigest()
        )
        new = NewDocument(kind=file.kind, file=announced, sent=None, answers=None, note=None)
        document = self._add(new, file.side, number, context)
        if document.state is not DocumentState.AWAITING_UPLOAD or file.state is DocumentState.AWAITING_UPLOAD:
            return
        uploaded = self._put(document, content)
        self._check(file, document, uploaded, content, context)
        if file.state is DocumentState.DELETED:
            self._remove(file, document)

    def _put(self, document: Document, content: bytes) -> UploadedObject:
        uploaded = self.stores.files.name_upload(self.referral_id, document.document_id)
        stored = self._put_object(uploaded.key, content)
        return UploadedObject(uploaded.bucket, uploaded.key, stored)

    def _put_object(self, key: str, content: bytes) -> str:
        bucket = self.stores.files.quarantine.name
        stored: Mapping[str, Any] = self.stores.files.get_client("s3").put_object(
            Bucket=bucket, Key=key, Body=content, ContentType=FileType.PDF
        )
        return str(stored["VersionId"])

    def _check(
        self, file: DemoFile, document: Document, uploaded: UploadedObject, content: bytes, context: RunContext
    ) -> None:
        """Report what the check and the scan found, as their events would."""
        sha256 = hashlib.sha256(content).hexdigest()
        reason = file.reason if isinstance(file.reason, RejectionReason) else None
        cleaned = None
        if reason is None:
            version_id = self._put_object(uploaded.cleaned_key, content)
            cleaned = {"version_id": version_id, "size": len(content), "sha256": sha256, "pages": 1, "removed": []}
        result = CheckOutcome(reason=reason, size=len(content), sha256=sha256, cleaned=cleaned)
        scan = ScanResult(engine="cart.scanner", outcome="NO_THREATS_FOUND", threats=())
        for content_ in (result,) if file.state is DocumentState.CHECKING else (result, scan):
            record_news(self.referral_id, document.document_id, uploaded, content_, context=context)

    def _remove(self, file: DemoFile, document: Document) -> None:
        member = self.members[file.side]
        scope = self.members[P].tenant_id
        current = self.stores.documents.get(self.referral_id, document.document_id, scope=scope)
        if current and isinstance(file.reason, DeletionReason):
            remove_document(
                self.referral_id,
                document.document_id,
                file.reason,
                version=current.version,
                member=member,
                context=self._build_context(file.ago - _hours(1)),
            )

    def _add(self, new: NewDocument, side: TenantKind, number: int, context: RunContext) -> Document:
        member = self.members[side]
        stored = add_document(
            self.referral_id,
            new,
            member=member,
            request=self._build_request(member, f"document-{number}"),
            build_response=lambda _, document, __: StoredResponse(
                status=201, headers={}, body={"document_id": document.document_id}
            ),
            context=context,
        )
        scope = self.members[P].tenant_id
        added = self.stores.documents.get(self.referral_id, str(stored.body["document_id"]), scope=scope)
        if added is None:
            raise TypeError("a document that was just added exists")
        return added

    def _build_context(self, ago: timedelta) -> RunContext:
        return RunContext(self.stores, (self.now - ago).astimezone(UTC))

    def _build_request(self, member: Member, key: str) -> IdempotentRequest:
        return IdempotentRequest(
            member_id=member.member_id,
            tenant_id=member.tenant_id,
            route=f"POST /v1/referrals/{self.referral_id}",
            key=f"fictional-world-{self.story_number}-{key}",
            body=b"",
        )
