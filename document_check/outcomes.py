"""The outcome of a check."""

from dataclasses import dataclass

from chalicelib.domain.documents.reasons import RejectionReason


class RefusedFileError(Exception):
    """The file is not accepted."""

    def __init__(self, reason: RejectionReason) -> None:
        """Say why, as a code."""
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CleanedContent:
    """What a check wrote.

    Attributes:
        pages: Pages of a PDF, frames of a TIFF; 1 for another image.
        removed: What the copy no longer has: `script`, `attachment`, `action`, `form`, `media`, `metadata`,
            `trailing_data`.
    """

    pages: int
    removed: tuple[str, ...]
