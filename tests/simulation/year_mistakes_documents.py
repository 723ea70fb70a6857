"""Mistakes about documents that the simulated year must find."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from chalicelib.domain.documents import document as documents
from chalicelib.domain.documents.document import Document, DocumentState
from chalicelib.store.documents.files import DocumentFiles


@contextmanager
def _sharing_before_the_scan() -> Iterator[None]:
    def is_ready(document: Document) -> bool:
        return document.state is DocumentState.CHECKING and bool(document.check and document.check.cleaned)

    with patch.object(Document, "is_ready_to_share", property(is_ready)):
        yield


@contextmanager
def _keeping_removed_files() -> Iterator[None]:
    with patch.object(DocumentFiles, "remove_document", lambda *_, **__: None):
        yield


@contextmanager
def _keeping_late_malware() -> Iterator[None]:
    real = documents.note_verdict

    def note_verdict(document: Document, verdict: Any) -> Document:
        return document if document.state is DocumentState.AVAILABLE else real(document, verdict)

    with patch.object(documents, "note_verdict", note_verdict):
        yield


MISTAKES: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "keeps a file in which malware is found later": _keeping_late_malware,
    "keeps a file that was removed": _keeping_removed_files,
    "shares a file before its scan": _sharing_before_the_scan,
}
"""Each mistake, and what makes it."""
