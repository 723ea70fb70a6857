"""The letter of medical necessity of a referral: filled from the record, edited by a person."""

from typing import Annotated

from pydantic import AfterValidator, Field

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.coverage.facts import NOT_A_GUARANTEE
from chalicelib.domain.coverage.letter import MAX_LETTER_CHARS, has_blanks
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.fields import StrictModel, build_text_validator, require_not_empty
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.coverage.letters import LetterView, read_letter, save_letter

LetterText = Annotated[
    str,
    Field(max_length=MAX_LETTER_CHARS),
    AfterValidator(build_text_validator(lines=True)),
    AfterValidator(require_not_empty),
]


class LetterBody(StrictModel):
    """A letter as a person edited it. One with blanks can be saved, and not marked as final."""

    text: LetterText
    """The text of the letter."""
    final: bool = False
    """Whether the letter is finished. A letter with blanks cannot be."""


class LetterResponse(TypedDict):
    """A letter of medical necessity.

    `text` is what was saved last, or the draft; `draft` is what the record fills now. `blanks` says that
    something is still to be filled in.
    """

    version: int
    """The version of the letter, 0 before the first. Send it in `If-Match` with a change."""
    text: str
    """The text as it was saved, or the draft if none was."""
    draft: str
    """The text that the product proposes from the referral."""
    final: bool
    """Whether the letter is marked as final."""
    blanks: bool
    """Whether the text still has blanks to fill in."""
    saved_at: str | None
    """When it was saved (RFC 3339, UTC); null if it was not."""
    saved_by: str | None
    """The name of the person who saved it; null if no one did."""
    disclaimer: str
    """The statement to show with it."""


@declare_endpoint("GET", "/v1/referrals/{referral_id}/coverage/letter")
def get_letter(request: ApiRequest, referral_id: str) -> ApiResponse[LetterResponse]:
    """Get the letter of medical necessity: the last version, and a draft that is filled from the record."""
    return _respond(read_letter(referral_id, member=request.member, context=request.context))


@declare_endpoint("PUT", "/v1/referrals/{referral_id}/coverage/letter", needs_if_match=True)
def put_letter(request: ApiRequest, referral_id: str, body: LetterBody) -> ApiResponse[LetterResponse]:
    """Save a version of the letter of medical necessity (referring practices)."""
    view = save_letter(
        referral_id,
        body.text,
        is_final=body.final,
        version=request.version,
        member=request.member,
        context=request.context,
    )
    return _respond(view)


def _respond(view: LetterView) -> ApiResponse[LetterResponse]:
    saved = view.saved
    text = saved.text if saved else view.draft
    return ApiResponse(
        body={
            "version": view.version,
            "text": text,
            "draft": view.draft,
            "final": saved.is_final if saved else False,
            "blanks": has_blanks(text),
            "saved_at": format_timestamp(saved.saved_at) if saved else None,
            "saved_by": saved.saved_by if saved else None,
            "disclaimer": NOT_A_GUARANTEE,
        },
        headers={"ETag": f'"{view.version}"'},
    )
