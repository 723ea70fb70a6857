"""The types of files that are accepted, and how a link shows a file."""

from collections.abc import Mapping
from enum import StrEnum


class FileType(StrEnum):
    """The types that are accepted, by their media type. TIFF is the usual type of a stored fax."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"
    TIFF = "image/tiff"


VIEWABLE_TYPES: frozenset[FileType] = frozenset({FileType.PDF, FileType.JPEG, FileType.PNG})
"""The types that every current browser shows in a tab, and takes for nothing else: one that is sent as PDF or image
is never read as a web page. Only Safari shows a TIFF.

Source: "MIME type sniffing algorithm" in the MIME Sniffing standard of the WHATWG (read 2026-11).
"""


class LinkDisplay(StrEnum):
    """What a browser does with a link: store the file, or show it in a tab. Published names."""

    DOWNLOAD = "download"
    INLINE = "inline"


FILE_EXTENSIONS: Mapping[FileType, str] = {
    FileType.PDF: "pdf",
    FileType.JPEG: "jpg",
    FileType.PNG: "png",
    FileType.TIFF: "tif",
}
