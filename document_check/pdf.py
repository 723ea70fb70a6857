"""Check a PDF, and write a copy without scripts, attachments, actions and media.

What runs is found in the objects that the library parsed, never by a search of the bytes: `/J#61vaScript` is
`/JavaScript` to every viewer. No stream is decoded, and nothing is rendered, so a small file that expands
to gigabytes costs nothing here.

Source:
    Names of actions, annotations and name trees: ISO 32000-1:2008 12.5.6, 12.6.4, 7.7.4 and 12.7.8.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pikepdf

from chalicelib.domain.documents.limits import MAX_PAGES, MAX_PDF_OBJECTS
from chalicelib.domain.documents.reasons import RejectionReason
from document_check.outcomes import CleanedContent, RefusedFileError

_ACTIONS: Mapping[str, str] = {
    "/JavaScript": "script",
    "/Launch": "action",
    "/SubmitForm": "action",
    "/ImportData": "action",
    "/GoToE": "attachment",
    "/GoToR": "action",
    "/Rendition": "media",
    "/RichMediaExecute": "media",
    "/Movie": "media",
    "/Sound": "media",
}
"""The actions that are removed, by `/S`, and how the removal is reported. A link to a web page stays. A link to
another file (`/GoToR`) does not: with the address of a network share, it makes Windows sign in to a foreign server."""

_KEYS: Mapping[str, str] = {
    "/JS": "script",
    "/JavaScript": "script",
    "/AA": "action",
    "/OpenAction": "action",
    "/EmbeddedFiles": "attachment",
    "/EF": "attachment",
    "/AF": "attachment",
    "/Collection": "attachment",
    "/XFA": "form",
    "/RichMediaContent": "media",
    "/RichMediaSettings": "media",
    "/3DD": "media",
}
"""The entries that are removed from every dictionary, and how the removal is reported."""

_ANNOTATIONS: Mapping[str, str] = {
    "/FileAttachment": "attachment",
    "/RichMedia": "media",
    "/Movie": "media",
    "/Sound": "media",
    "/Screen": "media",
    "/3D": "media",
}
"""The annotations that are emptied, by `/Subtype`."""

_MAX_DEPTH = 50
"""How deep dictionaries and lists are nested at most. A usual file has fewer than 10 levels."""


def clean_pdf(source: Path, cleaned: Path) -> CleanedContent:
    """Check a PDF and write its cleaned copy.

    Raises:
        RefusedFileError: it has a password, is damaged, or is too large to check.
    """
    try:
        # Without recovery: a repaired file may lack pages, and no one would notice.
        with pikepdf.open(source, attempt_recovery=False, suppress_warnings=True) as pdf:
            return _clean_open_pdf(pdf, cleaned)
    except pikepdf.PasswordError as e:
        raise RefusedFileError(RejectionReason.PASSWORD) from e
    except (pikepdf.PdfError, pikepdf.DataDecodingError, ValueError, TypeError, KeyError) as e:
        raise RefusedFileError(RejectionReason.DAMAGED) from e
    except (MemoryError, RecursionError) as e:
        raise RefusedFileError(RejectionReason.TOO_COMPLEX) from e


def _clean_open_pdf(pdf: pikepdf.Pdf, cleaned: Path) -> CleanedContent:
    if pdf.is_encrypted:
        # Also if no password is needed to read it: the malware scan cannot look inside.
        raise RefusedFileError(RejectionReason.PASSWORD)
    if len(pdf.objects) > MAX_PDF_OBJECTS:
        raise RefusedFileError(RejectionReason.TOO_COMPLEX)
    pages = len(pdf.pages)
    if pages == 0:
        raise RefusedFileError(RejectionReason.DAMAGED)
    if pages > MAX_PAGES:
        raise RefusedFileError(RejectionReason.TOO_MANY_PAGES)
    removed = {found for entry in _list_containers(pdf) for found in _disarm(entry)}
    pdf.save(
        cleaned,
        # Streams are copied as they are.
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        deterministic_id=True,
    )
    with pikepdf.open(cleaned, attempt_recovery=False) as copy:
        if len(copy.pages) != pages:
            raise RefusedFileError(RejectionReason.DAMAGED)
    return CleanedContent(pages, tuple(sorted(removed)))


def _list_containers(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """List every dictionary, also those inside other objects. An object that is referenced is listed once."""
    yield from _list_direct(pdf.trailer, 0)
    for entry in pdf.objects:
        yield from _list_direct(entry, 0)


def _list_direct(entry: Any, depth: int) -> Iterator[Any]:
    if depth > _MAX_DEPTH:
        raise RefusedFileError(RejectionReason.TOO_COMPLEX)
    if isinstance(entry, pikepdf.Dictionary | pikepdf.Stream):
        yield entry
        children = [entry.get(key) for key in list(entry.keys())]
    elif isinstance(entry, pikepdf.Array):
        children = list(entry)
    else:
        return
    for child in children:
        if isinstance(child, pikepdf.Object) and not child.is_indirect:
            yield from _list_direct(child, depth + 1)


def _disarm(entry: Any) -> Iterator[str]:
    """Remove from one dictionary what runs or carries another file. Yield how each removal is reported."""
    action = _ACTIONS.get(_read_name(entry, "/S"))
    if action and not isinstance(entry, pikepdf.Stream):
        yield action
        _empty(entry)
        return
    annotation = _ANNOTATIONS.get(_read_name(entry, "/Subtype"))
    if annotation and "/Rect" in entry:
        yield annotation
        for key in set(entry.keys()) - {"/Type", "/Subtype", "/Rect", "/P", "/F"}:
            del entry[key]
        return
    for key in set(entry.keys()) & _KEYS.keys():
        if key == "/OpenAction" and isinstance(entry[key], pikepdf.Array):
            continue  # The page at which a viewer begins.
        yield _KEYS[key]
        del entry[key]


def _read_name(entry: Any, key: str) -> str:
    value = entry.get(key)
    return str(value) if isinstance(value, pikepdf.Name) else ""


def _empty(entry: Any) -> None:
    """Leave an action without a kind, which viewers ignore."""
    for key in list(entry.keys()):
        del entry[key]
