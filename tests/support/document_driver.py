"""Drives documents as people, S3, the check and the scanner do: through the API, the buckets and the functions."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.domain.documents.check_events import OBJECT_SCANNED
from chalicelib.domain.documents.file_types import FileType
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from document_check import handler
from document_check.checks import check_file
from document_check.outcomes import RefusedFileError
from document_check.sandbox import SandboxResult
from tests.support import aws_fakes as cloud
from tests.support.api_client import ApiAnswer, ApiClient, FakeLambdaContext
from tests.support.api_driver import ApiDriver
from tests.support.stores import get_aws_client
from tests.support.uploaded_files import build_pdf

PDF = build_pdf(2)
NAME = "Scan Example Ana.pdf"


@dataclass
class SentEvents:
    """The client of EventBridge: keeps what is sent."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    failing: bool = False

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 the name of the API
        """Keep the entries, or fail all of them as a busy service does."""
        if self.failing:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

    def take(self) -> list[dict[str, Any]]:
        """Return the events that were sent, as a function gets them, and forget them."""
        sent = [
            {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])}
            for entry in self.entries
        ]
        self.entries.clear()
        return sent


@dataclass
class DocumentDriver:
    """The documents of one referral."""

    api: ApiDriver
    referral_id: str
    events: SentEvents

    @property
    def path(self) -> str:
        """The address of the documents."""
        return f"/v1/referrals/{self.referral_id}/documents"

    def announce(self, content: bytes = PDF, site: ApiClient | None = None, **changed: Any) -> ApiAnswer:
        """Announce a file."""
        file = {
            "name": NAME,
            "type": FileType.PDF,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            **changed.pop("file", {}),
        }
        body = {"kind": "imaging", "file": file, **changed}
        return (site or self.api.practice).post(self.path, body)

    def add(self, content: bytes = PDF, site: ApiClient | None = None, **changed: Any) -> str:
        """Announce a file, and return the id of its document."""
        answer = self.announce(content, site, **changed)
        assert answer.status == 201, answer.text
        return str(answer.json["document"]["document_id"])

    def send_outside(self, site: ApiClient | None = None, **changed: Any) -> str:
        """Record what was sent by fax, and return the id of its document."""
        sent = {"channel": "fax", "sent_on": wiring.read_clock().date().isoformat(), "to": "+14105550188", "pages": 12}
        answer = (site or self.api.practice).post(self.path, {"kind": "pathology_report", "sent": sent, **changed})
        assert answer.status == 201, answer.text
        return str(answer.json["document"]["document_id"])

    def build_key(self, document_id: str) -> str:
        """The key of an upload."""
        return f"uploads/{self.referral_id}/{document_id}"

    def upload(self, document_id: str, content: bytes = PDF, media_type: str = FileType.PDF) -> str:
        """Put the object as S3 would after a POST, and return its version."""
        stored = get_aws_client("s3").put_object(
            Bucket=cloud.QUARANTINE, Key=self.build_key(document_id), Body=content, ContentType=media_type
        )
        return str(stored["VersionId"])

    def build_arrival(self, document_id: str, version_id: str) -> dict[str, Any]:
        """The event of S3."""
        created = {"key": self.build_key(document_id), "version-id": version_id}
        detail = {"bucket": {"name": cloud.QUARANTINE}, "object": created}
        return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}

    def arrive(self, document_id: str, version_id: str) -> Any:
        """Tell the documents function that an object arrived."""
        return self.record(self.build_arrival(document_id, version_id))

    def check(self, document_id: str, version_id: str) -> None:
        """Run the check function on an object, and pass on its result."""
        handler.handle(self.build_arrival(document_id, version_id))
        for event in self.events.take():
            self.record(event)

    def scan(
        self,
        document_id: str,
        version_id: str,
        outcome: str = "NO_THREATS_FOUND",
        status: str = "COMPLETED",
        source: str = "aws.guardduty",
    ) -> Any:
        """Tell the documents function what the scanner found."""
        threats = [{"name": "EICAR-Test-File"}] if outcome == "THREATS_FOUND" else None
        detail = {
            "scanStatus": status,
            "s3ObjectDetails": {
                "bucketName": cloud.QUARANTINE,
                "objectKey": self.build_key(document_id),
                "versionId": version_id,
            },
            "scanResultDetails": {"scanResultStatus": outcome, "threats": threats},
        }
        return self.record({"source": source, "detail-type": OBJECT_SCANNED, "detail": detail})

    def take_requests(self) -> list[dict[str, Any]]:
        """Return the events about this referral, and forget all: its module's other referrals have tasks too."""
        return [event for event in self.events.take() if self.referral_id in json.dumps(event)]

    def record(self, event: dict[str, Any]) -> Any:
        """Call the documents function."""
        envelope = {"version": "0", "id": "1", "account": "123456789012", "region": "us-east-1", "resources": []}
        whole = {**envelope, "time": "2026-11-02T12:00:00Z", **event}
        return app.handler_map["documents"](whole, FakeLambdaContext())

    def share(self, content: bytes = PDF, site: ApiClient | None = None, **changed: Any) -> str:
        """Add a file that passes everything, and return the id of its document."""
        document_id = self.add(content, site, **changed)
        version_id = self.upload(document_id, content, changed.get("file", {}).get("type", FileType.PDF))
        self.arrive(document_id, version_id)
        self.check(document_id, version_id)
        self.scan(document_id, version_id)
        assert self.get(document_id, site)["state"] == "available"
        return document_id

    def get(self, document_id: str, site: ApiClient | None = None) -> dict[str, Any]:
        """Return a document."""
        answer = (site or self.api.practice).get(f"{self.path}/{document_id}")
        assert answer.status == 200, answer.text
        return answer.json

    def remove(
        self, document_id: str, reason: str, site: ApiClient | None = None, version: int | None = None
    ) -> ApiAnswer:
        """Remove a document at a version, or at its current one."""
        site = site or self.api.practice
        tag = version or site.get(f"{self.path}/{document_id}").json.get("version", 1)
        path = f"{self.path}/{document_id}?reason={reason}"
        return site.send("DELETE", path, headers={"If-Match": f'"{tag}"'})

    def open(self, document_id: str, site: ApiClient | None = None, query: str = "") -> ApiAnswer:
        """Ask for a link."""
        return (site or self.api.practice).post(f"{self.path}/{document_id}/links{query}", {})

    def run_tasks(self, *, after: timedelta = timedelta(0)) -> dict[str, int]:
        """Run what the outbox has, as the relay would some time from now."""
        return dict(run_job(TaskQueue.EVENT, context=wiring.build_job_context(wiring.read_clock() + after)))

    def list_versions(self, bucket: str = cloud.QUARANTINE) -> list[str]:
        """List the keys of every version of this referral's objects in a bucket."""
        found = get_aws_client("s3").list_object_versions(Bucket=bucket)
        rows = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
        return sorted(row["Key"] for row in rows if self.referral_id in row["Key"])


def check_in_process(source: Path, file_type: FileType, cleaned: Path) -> SandboxResult:
    """Check without a process of its own, which takes half a second."""
    try:
        content = check_file(source, file_type, cleaned)
    except RefusedFileError as e:
        return SandboxResult(reason=e.reason)
    return SandboxResult(reason=None, pages=content.pages, removed=content.removed)


@contextmanager
def open_document_driver(api: ApiDriver, **changed: Any) -> Iterator[DocumentDriver]:
    """Refer a patient, and open a driver of the referral's documents, with buckets and an event bus."""
    events = SentEvents()

    def get_client(service: str) -> Any:
        return events if service == "events" else get_aws_client(service)

    with pytest.MonkeyPatch.context() as patch:
        cloud.create_buckets()
        cloud.forget_rate_limits()
        stores = wiring.get_stores()
        patched = stores.replace(files=replace(stores.files, get_client=get_client))
        patch.setattr(wiring, "get_stores", lambda: patched)
        patch.setattr(handler, "_get_client", get_client)
        patch.setattr(handler, "check_in_sandbox", check_in_process)
        yield DocumentDriver(api, api.refer(**changed)["referral_id"], events)
