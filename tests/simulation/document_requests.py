"""Flows of one request about a document: its scan completes, or it is removed."""

import hashlib
from collections.abc import Iterator

from chalicelib import wiring
from chalicelib.domain.documents import document as documents
from chalicelib.domain.documents.check_events import GUARDDUTY, OBJECT_SCANNED
from chalicelib.domain.documents.document import AnnouncedFile, CleanedFile, Document, DocumentState, FileCheck
from chalicelib.domain.documents.file_types import FileType
from chalicelib.domain.documents.reasons import DeletionReason
from chalicelib.domain.notices.document_notices import REMOVE_FILES_RULE
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.stages import Actor
from chalicelib.services.documents.change import remove_document
from chalicelib.services.documents.entry import build_file_task
from chalicelib.services.documents.file_tasks import run_file_task
from chalicelib.services.documents.news import record_event
from tests.simulation.flows import Scene
from tests.simulation.single_requests import MEMBER, SCOPE, SingleRequest, find_wrong_tasks
from tests.support.invariants import TableSnapshot

CONTENT = b"%PDF-1.7 a page"


class ShareDocument(SingleRequest):
    """A clean scan completes the check of a document, which is shared."""

    name = "document"
    state, told = "available", {"document.shared": 1}

    def prepare(self, scene: Scene) -> None:
        """An upload was checked, and its scan is missing."""
        super().prepare(scene)
        stores, referral_id = scene.world.stores, scene.referral_id
        document_id = _name_document(scene)
        uploaded = stores.files.name_upload(referral_id, document_id)
        versions = [
            wiring.get_aws_client("s3").put_object(
                Bucket=uploaded.bucket, Key=key, Body=CONTENT, ContentType=FileType.PDF
            )["VersionId"]
            for key in (uploaded.key, uploaded.cleaned_key)
        ]
        digest = hashlib.sha256(CONTENT).hexdigest()
        cleaned = CleanedFile(version_id=versions[1], size=len(CONTENT), sha256=digest, pages=1)
        added = Document(
            document_id=document_id,
            kind="imaging",
            side=Actor.PRACTICE,
            added_by_id=MEMBER.member_id,
            added_by=MEMBER.name,
            added_at=scene.begins,
            state=DocumentState.AWAITING_UPLOAD,
            announced=AnnouncedFile(name="scan.pdf", type=FileType.PDF, size=len(CONTENT), sha256=digest),
        )
        checked = documents.note_check(added, FileCheck(version_id=versions[0], at=scene.begins, cleaned=cleaned))
        stores.transactions.commit(
            stores.documents.prepare_add(referral_id, checked, scope=SCOPE),
            stores.documents.prepare_reserve(referral_id, len(CONTENT)),
        )

    def send(self, scene: Scene) -> None:
        """Deliver the result of the scan."""
        _deliver_scan(scene)

    def find_wrong(self, scene: Scene, tables: TableSnapshot) -> Iterator[str]:
        """The document, its file and its notices say the same."""
        stores = scene.world.stores
        found = stores.documents.get(scene.referral_id, _name_document(scene), scope=SCOPE)
        if found is None or found.state.value != self.state:
            yield f"the document is {found and found.state}"
        versions = wiring.get_aws_client("s3").list_object_versions(
            Bucket=stores.files.documents.name, Prefix=f"{scene.referral_id}/"
        )
        kept = {row["VersionId"] for row in versions.get("Versions", ())}
        if self.state == "available" and (found is None or found.stored is None or found.stored.version_id not in kept):
            yield "file"
        if self.state == "deleted" and kept:
            yield "a copy is left"
        yield from find_wrong_tasks(scene, tables, self.told)


class RemoveDocument(ShareDocument):
    """A practice removes a document, and its file is deleted."""

    name = "removal"
    state, told = "deleted", {"document.shared": 1, "document.deleted": 1}
    done_before = ("stale", "already_removed")

    def prepare(self, scene: Scene) -> None:
        """The document was shared."""
        super().prepare(scene)
        _deliver_scan(scene)

    def send(self, scene: Scene) -> None:
        """Remove it, and run the task that removes the file."""
        context, document_id = scene.world.driver.context, _name_document(scene)
        found = scene.world.stores.documents.get(scene.referral_id, document_id, scope=SCOPE)
        assert found is not None
        if found.state is not DocumentState.DELETED:
            remove_document(
                scene.referral_id,
                document_id,
                DeletionReason.DUPLICATE,
                version=found.version,
                member=MEMBER,
                context=context,
            )
        task = build_file_task(scene.referral_id, found, REMOVE_FILES_RULE, due_in=None, context=context)
        run_file_task(task, context=context)


def _deliver_scan(scene: Scene) -> None:
    stores = scene.world.stores
    uploaded = stores.files.name_upload(scene.referral_id, _name_document(scene))
    found = stores.documents.get(scene.referral_id, _name_document(scene), scope=SCOPE)
    assert found is not None
    named = {"bucketName": uploaded.bucket, "objectKey": uploaded.key, "versionId": found.upload_version_id}
    detail = {
        "scanStatus": "COMPLETED",
        "s3ObjectDetails": named,
        "scanResultDetails": {"scanResultStatus": "NO_THREATS_FOUND", "threats": None},
    }
    event = {"source": GUARDDUTY, "detail-type": OBJECT_SCANNED, "detail": detail}
    record_event(event, scanners=frozenset({GUARDDUTY}), context=scene.world.driver.context)


def _name_document(scene: Scene) -> str:
    return derive_id("doc", scene.name)
