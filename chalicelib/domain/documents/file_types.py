"""The types of files that are accepted."""

from collections.abc import Mapping
from enum import StrEnum


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
