"""The request bodies and queries of documents."""

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

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
    WithJsonSchema({"enum": sorted(PERSON_REASONS), "type": "string"}),
]


class NewFileBody(StrictModel):
    """The file that will be uploaded: its name, its type, its size in bytes, and its SHA-256."""

    name: SingleLineText
    """The name of the file, with its ending."""
    type: FileType
    """The media type of the file, such as `application/pdf`."""
    size: Annotated[int, Field(ge=1, le=MAX_FILE_BYTES)]
    """The size of the file, in bytes."""
    sha256: Sha256
    """The SHA-256 of the file's bytes, as 64 lowercase hexadecimal digits."""


class SentOutsideBody(StrictModel):
    """What was sent another way: how, on which day, to which number or portal, and its confirmation number."""

    channel: Channel
    """How the document was sent."""
    sent_on: PastDate
    """The day on which it was sent (YYYY-MM-DD)."""
    to: SingleLineText | None = None
    """The number, portal or person it was sent to."""
    pages: Annotated[int, Field(ge=1, le=10 * MAX_PAGES)] | None = None
    """How many pages it has."""
    confirmation: SingleLineText | None = None
    """The confirmation number of the fax or portal."""


class AnswersBody(StrictModel):
    """The item of an information request that the document answers."""

    request_id: Identifier
    """The ID of the information request."""
    item_id: Identifier
    """The number of the item within its information request."""


class DocumentBody(StrictModel):
    """A document: a `file` to upload, or what was `sent` another way; exactly one of the two."""

    kind: DocumentKind
    """What kind of document it is."""
    file: NewFileBody | None = None
    """The file that will be uploaded. Send either `file` or `sent`."""
    sent: SentOutsideBody | None = None
    """What was sent another way. Send either `file` or `sent`."""
    answers: AnswersBody | None = None
    """The item of an information request that it answers."""
    note: MultiLineText | None = None
    """A note to the other side."""


class ArrivalBody(StrictModel):
    """Whether what was sent another way was received, or was not found."""

    arrival: Arrival
    """`received` or `not_found`."""


class DeletionQuery(StrictModel):
    """Why the document is removed."""

    reason: PersonReason
    """Why the document is removed."""


class LinkQuery(StrictModel):
    """Whether a browser stores the file of the link, or shows it in a tab, which `may_view` allows."""

    display: LinkDisplay = LinkDisplay.DOWNLOAD
    """`download` stores the file; `inline` shows it in a tab."""


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
