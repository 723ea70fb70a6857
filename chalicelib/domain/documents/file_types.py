"""The types of files that are accepted, and the name under which a document is downloaded."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from chalicelib.domain.documents.kinds import OTHER_KIND


class FileType(StrEnum):
    """The types that are accepted, by their media type. TIFF is the usual type of a stored fax."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"
    TIFF = "image/tiff"


FILE_EXTENSIONS: Mapping[FileType, str] = {
    FileType.PDF: "pdf",
    FileType.JPEG: "jpg",
    FileType.PNG: "png",
    FileType.TIFF: "tif",
}


def build_download_name(kind: str, file_type: FileType, added_on: date) -> str:
    """Build the name of a downloaded file, such as `imaging-2026-10-02.pdf`.

    The original name often has the patient's name in it, and the name is part of the link.
    """
    name = "document" if kind == OTHER_KIND else kind.replace("_", "-")
    return f"{name}-{added_on.isoformat()}.{FILE_EXTENSIONS[file_type]}"
