"""The kinds of documents: which item of the referral packet a document fills, and the name of its download."""

from collections.abc import Mapping
from datetime import date

from chalicelib.domain.documents.file_types import FILE_EXTENSIONS, FileType
from chalicelib.domain.referrals.requestable_items import DOCUMENT_LABELS

OTHER_KIND = "other"
"""A document that is no item of the packet."""

KIND_LABELS: Mapping[str, str] = {**DOCUMENT_LABELS, OTHER_KIND: "Other document"}
"""The label of each kind. Source: as in `packet`."""


def build_download_name(kind: str, file_type: FileType, added_on: date) -> str:
    """Build the name of a downloaded file, such as `imaging-2026-10-02.pdf`.

    The original name often has the patient's name in it, and the name is part of the link.
    """
    name = "document" if kind == OTHER_KIND else kind.replace("_", "-")
    return f"{name}-{added_on.isoformat()}.{FILE_EXTENSIONS[file_type]}"
