"""The request bodies and queries of documents."""

from typing import Annotated

from pydantic import AfterValidator, Field

from chalicelib.domain.documents.document import AnnouncedFile, AnsweredItem, Arrival, Channel, SentRecord
from chalicelib.domain.documents.file_types import FileType, LinkDisplay
from chalicelib.domain.documents.kinds import KIND_LABELS
from chalicelib.domain.documents.limits import MAX_FILE_BYTES, MAX_PAGES
from chalicelib.domain.documents.reasons import PERSON_REASONS, DeletionReason
from chalicelib.errors import FieldError, MalformedError
from chalicelib.routes.platform.field_messages import FIELDS_NOT_VALID
from chalicelib.routes.platform.fields import (
    Identifier,
    MultiLineText,
    PastDate,
    SingleLineText,
    StrictModel,
    build_pattern_validator,
)
from chalicelib.services.documents.add import NewDocument


def _require_known_kind(kind: str) -> str:
    if kind not in KIND_LABELS:
        raise ValueError("Choose a kind from the list.")
    return kind


def _require_reason_of_a_person(reason: DeletionReason) -> DeletionReason:
    if reason not in PERSON_REASONS:
        raise ValueError("Choose a reason from the list.")
    return reason


DocumentKind = Annotated[str, AfterValidator(_require_known_kind), Field(json_schema_extra={"enum": list(KIND_LABELS)})]
Sha256 = Annotated[
    str, AfterValidator(build_pattern_validator("[0-9a-f]{64}", "Send 64 hexadecimal digits in lower case."))
]
PersonReason = Annotated[
    DeletionReason,
    AfterValidator(_require_reason_of_a_person),
    Field(json_schema_extra={"enum": sorted(PERSON_REASONS)}),
]


class NewFileBody(StrictModel):
    """The file that will be uploaded: its name, its type, its size in bytes, and its SHA-256."""

    name: SingleLineText
    type: FileType
    size: Annotated[int, Field(ge=1, le=MAX_FILE_BYTES)]
    sha256: Sha256


class SentOutsideBody(StrictModel):
    """What was sent another way: how, on which day, to which number or portal, and its confirmation number."""

    channel: Channel
    sent_on: PastDate
    to: SingleLineText | None = None
    pages: Annotated[int, Field(ge=1, le=10 * MAX_PAGES)] | None = None
    confirmation: SingleLineText | None = None


class AnswersBody(StrictModel):
    """The item of an information request that the document answers."""

    request_id: Identifier
    item_id: Identifier


class DocumentBody(StrictModel):
    """A document: a `file` to upload, or what was `sent` another way; exactly one of the two."""

    kind: DocumentKind
    file: NewFileBody | None = None
    sent: SentOutsideBody | None = None
    answers: AnswersBody | None = None
    note: MultiLineText | None = None


class ArrivalBody(StrictModel):
    """Whether what was sent another way was received, or was not found."""

    arrival: Arrival


class DeletionQuery(StrictModel):
    """Why the document is removed."""

    reason: PersonReason


class LinkQuery(StrictModel):
    """Whether a browser stores the file of the link, or shows it in a tab, which `may_view` allows."""

    display: LinkDisplay = LinkDisplay.DOWNLOAD


def to_new_document(body: DocumentBody) -> NewDocument:
    """Read a body as what a person enters.

    Raises:
        MalformedError: it has neither a file nor what was sent, or both.
    """
    if (body.file is None) is (body.sent is None):
        error = FieldError("/file", "missing", "Choose a file, or enter how it was sent; not both.")
        raise MalformedError("malformed", FIELDS_NOT_VALID, errors=[error])
    return NewDocument(
        kind=body.kind,
        file=AnnouncedFile(**body.file.model_dump()) if body.file else None,
        sent=SentRecord(**body.sent.model_dump()) if body.sent else None,
        answers=AnsweredItem(**body.answers.model_dump()) if body.answers else None,
        note=body.note,
    )
