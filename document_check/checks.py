"""Check a file and write a cleaned copy of it: the same content, rewritten, without anything that runs.

A pure function of the file's bytes and its announced type. The defense against a file that is two types at
once is the copy, which has only what the PDF or image library read; what is obviously a second type is
refused, so that its sender knows.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from chalicelib.domain.documents.file_types import FileType
from chalicelib.domain.documents.limits import MAX_FILE_BYTES
from chalicelib.domain.documents.reasons import RejectionReason
from document_check.outcomes import CleanedContent, RefusedFileError

SIGNATURES: Mapping[bytes, FileType] = {
    b"%PDF-": FileType.PDF,
    b"\xff\xd8\xff": FileType.JPEG,
    b"\x89PNG\r\n\x1a\n": FileType.PNG,
    b"II*\x00": FileType.TIFF,
    b"MM\x00*": FileType.TIFF,
}
"""How a file of each type begins, at its first byte.

Sources: ISO 32000-1:2008 7.5.2, ITU-T T.81 B.2.1, PNG specification (W3C, 2003) 5.2, TIFF 6.0 section 2."""

_END_MARKERS: Mapping[FileType, tuple[bytes, int]] = {
    FileType.PDF: (b"%%EOF", 0),
    FileType.JPEG: (b"\xff\xd9", 0),
    FileType.PNG: (b"IEND", 4),  # Four bytes of a checksum follow.
}
"""How a file of each type ends, and how many bytes follow its marker. A TIFF has no end."""

_OTHER_CONTENT = (b"<html", b"<script", b"<!doctype", b"%pdf-", b"pk\x03\x04")
"""What shows, after the end of a file, that a second file was appended. In lower case."""


def check_file(source: Path, announced: FileType, cleaned: Path) -> CleanedContent:
    """Check `source`, and write its cleaned copy to `cleaned`.

    Args:
        source: The uploaded file.
        announced: The type that was announced before the upload.
        cleaned: Where to write the copy.

    Raises:
        RefusedFileError: it is not accepted; says why.
    """
    size = source.stat().st_size
    if size == 0:
        raise RefusedFileError(RejectionReason.EMPTY)
    if size > MAX_FILE_BYTES:
        raise RefusedFileError(RejectionReason.TOO_LARGE)
    content = source.read_bytes()
    file_type = find_type(content)
    if file_type is None:
        raise RefusedFileError(RejectionReason.WRONG_TYPE)
    if file_type is not announced:
        raise RefusedFileError(RejectionReason.OTHER_TYPE)
    trailing = _read_trailing(content, file_type)
    if zipfile.is_zipfile(source) or any(sign in trailing.lower() for sign in _OTHER_CONTENT):
        raise RefusedFileError(RejectionReason.OTHER_TYPE)
    result = _clean(source, file_type, cleaned)
    if cleaned.stat().st_size > MAX_FILE_BYTES:
        raise RefusedFileError(RejectionReason.TOO_LARGE)
    removed = {*result.removed, *(("trailing_data",) if trailing.strip(b"\0\r\n\t ") else ())}
    return CleanedContent(result.pages, tuple(sorted(removed)))


def find_type(content: bytes) -> FileType | None:
    """Find the type by the first bytes; None if it is none of the accepted types."""
    return next((kind for sign, kind in SIGNATURES.items() if content.startswith(sign)), None)


def _read_trailing(content: bytes, file_type: FileType) -> bytes:
    """Read what follows the end of the file, according to its type."""
    marker, extra = _END_MARKERS.get(file_type, (b"", 0))
    position = content.rfind(marker) if marker else -1
    return b"" if position < 0 else content[position + len(marker) + extra :]


def _clean(source: Path, file_type: FileType, cleaned: Path) -> CleanedContent:
    # Each library is loaded only for its own type: together they take a second.
    if file_type is FileType.PDF:
        from document_check.pdf import clean_pdf  # noqa: PLC0415

        return clean_pdf(source, cleaned)
    from document_check.images import clean_image  # noqa: PLC0415

    return clean_image(source, file_type, cleaned)
