"""The files of documents, in two buckets of Amazon S3.

    quarantine   uploads/<referral id>/<document id>    as people uploaded them; only the check and the scan read it
                 cleaned/<referral id>/<document id>    the copies that the check made
    documents    <referral id>/<document id>            copies that passed; people read these by a link

The API can sign an upload to the first and a link to the second bucket, and can read neither the first one nor
any object without a link.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.aws import get_error_code, translate_aws_errors
from chalicelib.domain.documents.check_events import (
    CHECK_REQUESTED,
    CHECK_SOURCE,
    CheckRequest,
    UploadedObject,
    build_check_request,
    build_upload_key,
)
from chalicelib.domain.documents.document import CleanedFile, Document
from chalicelib.domain.documents.file_types import FileType, LinkDisplay
from chalicelib.domain.documents.kinds import build_download_name
from chalicelib.domain.documents.limits import LINK_LIFETIME, MAX_FILE_BYTES, UPLOAD_FORM_LIFETIME
from chalicelib.errors import UnavailableError
from chalicelib.store.documents.signing import SigningIdentity, UploadForm, sign_link, sign_upload_form

_GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket, and the address under which browsers reach it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFiles:
    """Signs forms and links, and moves and removes files. `get_client` returns the client of a service."""

    quarantine: Bucket
    documents: Bucket
    get_client: Callable[[str], Any]
    get_identity: Callable[[], SigningIdentity]

    def build_upload_form(
        self, referral_id: str, document_id: str, file_type: FileType, *, now: datetime
    ) -> UploadForm:
        """Sign the form with which a browser uploads the file of a document."""
        return sign_upload_form(
            self.quarantine.name,
            self.quarantine.url,
            build_upload_key(referral_id, document_id),
            content_type=file_type,
            max_bytes=MAX_FILE_BYTES,
            lifetime=UPLOAD_FORM_LIFETIME,
            now=now,
            identity=self.get_identity(),
        )

    def build_link(
        self, referral_id: str, document: Document, stored: CleanedFile, display: LinkDisplay, *, now: datetime
    ) -> str:
        """Sign the link to the version of a document that was checked, with its type and a generated name."""
        headers = _build_file_headers(document, display)
        return sign_link(
            self.documents.url,
            f"{referral_id}/{document.document_id}",
            parameters={
                "versionId": stored.version_id,
                "response-cache-control": headers["CacheControl"],
                "response-content-disposition": headers["ContentDisposition"],
                "response-content-type": headers["ContentType"],
            },
            lifetime=LINK_LIFETIME,
            now=now,
            identity=self.get_identity(),
        )

    def name_upload(self, referral_id: str, document_id: str, version_id: str = "") -> UploadedObject:
        """Name a version of the upload of a document."""
        return UploadedObject(self.quarantine.name, build_upload_key(referral_id, document_id), version_id)

    def find_upload_version(self, uploaded: UploadedObject) -> str | None:
        """Find the newest version of an upload; None if there is none."""
        with translate_aws_errors():
            # Not a HEAD request, which needs the permission to read the upload.
            response = self.get_client("s3").list_object_versions(Bucket=uploaded.bucket, Prefix=uploaded.key)
        newest = (v["VersionId"] for v in response.get("Versions", ()) if v["Key"] == uploaded.key and v["IsLatest"])
        return next(newest, None)

    def promote(self, referral_id: str, document: Document, cleaned: CleanedFile) -> str | None:
        """Copy exactly the checked version to the documents bucket. Return the version of the copy.

        The copy is a download unless a signed link says otherwise. None means that the checked version is gone,
        because the document was removed in the meantime.
        """
        source = {
            "Bucket": self.quarantine.name,
            "Key": self.name_upload(referral_id, document.document_id).cleaned_key,
            "VersionId": cleaned.version_id,
        }
        with translate_aws_errors():
            try:
                response = self.get_client("s3").copy_object(
                    Bucket=self.documents.name,
                    Key=f"{referral_id}/{document.document_id}",
                    CopySource=source,
                    MetadataDirective="REPLACE",
                    **_build_file_headers(document, LinkDisplay.DOWNLOAD),
                )
            except Exception as e:
                if get_error_code(e) in _GONE:
                    return None
                raise
        return str(response["VersionId"])

    def remove_from_quarantine(self, referral_id: str, document_id: str) -> None:
        """Remove every version of the upload and of its copy in quarantine."""
        uploaded = self.name_upload(referral_id, document_id)
        for key in (uploaded.key, uploaded.cleaned_key):
            self._remove_all_versions(self.quarantine.name, key)

    def remove_document(self, referral_id: str, document_id: str, *, keep: str | None = None) -> None:
        """Remove every version of the file that people could read, except the version `keep`."""
        self._remove_all_versions(self.documents.name, f"{referral_id}/{document_id}", keep=keep)

    def remove_version(self, uploaded: UploadedObject) -> None:
        """Remove one version of an upload, which arrived after the one that counts."""
        with translate_aws_errors():
            self.get_client("s3").delete_object(Bucket=uploaded.bucket, Key=uploaded.key, VersionId=uploaded.version_id)

    def request_check(self, uploaded: UploadedObject, request: CheckRequest) -> None:
        """Ask again for results that are missing.

        Raises:
            UnavailableError: the event was not accepted.
        """
        entry = {
            "Source": CHECK_SOURCE,
            "DetailType": CHECK_REQUESTED,
            "Detail": json.dumps(build_check_request(uploaded, request)),
        }
        with translate_aws_errors():
            response = self.get_client("events").put_events(Entries=[entry])
        if response["FailedEntryCount"]:
            raise UnavailableError

    def remove_referral(self, referral_id: str) -> int:
        """Remove every version of every file of a referral, in both buckets. Return how many there were."""
        places = (
            (self.documents.name, f"{referral_id}/"),
            (self.quarantine.name, f"uploads/{referral_id}/"),
            (self.quarantine.name, f"cleaned/{referral_id}/"),
        )
        return sum(self._remove_folder(bucket, prefix) for bucket, prefix in places)

    def _remove_folder(self, bucket: str, prefix: str) -> int:
        client, removed = self.get_client("s3"), 0
        with translate_aws_errors():
            for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                for row in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    client.delete_object(Bucket=bucket, Key=row["Key"], VersionId=row["VersionId"])
                    removed += 1
        return removed

    def _remove_all_versions(self, bucket: str, key: str, *, keep: str | None = None) -> None:
        with translate_aws_errors():
            for version_id in list(self._list_versions(bucket, key)):
                if version_id != keep:
                    self.get_client("s3").delete_object(Bucket=bucket, Key=key, VersionId=version_id)

    def _list_versions(self, bucket: str, key: str) -> Iterator[str]:
        pages = self.get_client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
        for page in pages:
            for row in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                if row["Key"] == key:
                    yield row["VersionId"]


def _build_file_headers(document: Document, display: LinkDisplay) -> Mapping[str, str]:
    """The headers of a file when it is opened, by their names in the S3 API."""
    file_type = document.announced.type if document.announced else FileType.PDF
    name = build_download_name(document.kind, file_type, document.added_at.date())
    disposition = "inline" if display is LinkDisplay.INLINE else "attachment"
    return {
        "CacheControl": "no-store",
        "ContentDisposition": f'{disposition}; filename="{name}"',
        "ContentType": file_type,
    }
