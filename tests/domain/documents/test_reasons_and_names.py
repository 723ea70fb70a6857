"""Sentences, labels and the name of a downloaded file."""

from datetime import date

import pytest

from chalicelib.domain.documents.document import CHANNEL_LABELS, STATE_LABELS, Channel, DocumentState
from chalicelib.domain.documents.file_types import FILE_EXTENSIONS, FileType
from chalicelib.domain.documents.kinds import build_download_name
from chalicelib.domain.documents.reasons import (
    DELETION_LABELS,
    REJECTION_SENTENCES,
    DeletionReason,
    RejectionReason,
)


@pytest.mark.parametrize(
    ("labels", "members"),
    [
        (REJECTION_SENTENCES, RejectionReason),
        (DELETION_LABELS, DeletionReason),
        (STATE_LABELS, DocumentState),
        (CHANNEL_LABELS, Channel),
        (FILE_EXTENSIONS, FileType),
    ],
)
def test_every_code_has_words_for_people(labels, members):
    """A screen never shows a code."""
    assert set(labels) == set(members)


@pytest.mark.parametrize("sentence", REJECTION_SENTENCES.values())
def test_a_rejection_is_a_sentence_without_codes(sentence):
    """It says what is wrong, and most say what to do."""
    assert sentence.endswith(".")
    assert "_" not in sentence
    assert len(sentence.split()) <= 20


@pytest.mark.parametrize(
    ("kind", "file_type", "name"),
    [
        ("imaging", FileType.PDF, "imaging-2026-10-02.pdf"),
        ("pathology_report", FileType.TIFF, "pathology-report-2026-10-02.tif"),
        ("other", FileType.JPEG, "document-2026-10-02.jpg"),
    ],
)
def test_a_download_has_a_generated_name(kind, file_type, name):
    """Never the original name, which often names the patient."""
    assert build_download_name(kind, file_type, date(2026, 10, 2)) == name
