"""The request bodies of messages and information requests."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from chalicelib.domain.referrals.information_requests import AnswerKind
from chalicelib.domain.referrals.requestable_items import ITEM_LABELS, MAX_ITEMS, has_repeats
from chalicelib.errors import FieldError, MalformedError
from chalicelib.routes.platform.field_messages import FIELDS_NOT_VALID
from chalicelib.routes.platform.fields import Identifier, MultiLineText, SingleLineText, StrictModel


def _require_different_items(items: list[str]) -> list[str]:
    if has_repeats(items):
        raise ValueError("Name each item once.")
    return items


ItemName = Annotated[SingleLineText, Field(examples=sorted(ITEM_LABELS))]
"""A code of the referral packet, or a name in the center's own words."""

RequestedItems = Annotated[list[ItemName], Field(max_length=MAX_ITEMS), AfterValidator(_require_different_items)]


class InformationRequestBody(StrictModel):
    """What a center asks for: at least one item, or a text."""

    items: Annotated[RequestedItems, Field(default_factory=list)]
    """What the center asks for: codes of `requestable_items`, or own words."""
    text: MultiLineText | None = None
    """What the center asks for, in its own words."""


def _require_answer_of_a_person(kind: AnswerKind) -> AnswerKind:
    if kind is AnswerKind.DOCUMENT:
        raise ValueError("Add the document instead, and name the item that it answers.")
    return kind


PersonAnswerKind = Annotated[
    AnswerKind,
    AfterValidator(_require_answer_of_a_person),
    WithJsonSchema({"enum": [kind for kind in AnswerKind if kind is not AnswerKind.DOCUMENT], "type": "string"}),
]
"""A document answers an item by itself, once the center can see it."""


class ItemAnswerBody(StrictModel):
    """The answer to one item. `answered` and `none` need a text; `sent_separately` can say how."""

    item_id: Identifier
    """The number of the item within its information request."""
    kind: PersonAnswerKind
    """How the item is answered: `answered` in words, `sent_separately`, or `none`."""
    text: MultiLineText | None = None
    """The answer in words, or how it was sent."""


class InformationAnswerBody(StrictModel):
    """Answers to one or more items of a request, and a note to the center."""

    items: Annotated[list[ItemAnswerBody], Field(min_length=1, max_length=MAX_ITEMS)]
    """The answers, one for each item."""
    note: MultiLineText | None = None
    """A note to the center."""


class MessageBody(StrictModel):
    """A message to the other side."""

    text: MultiLineText
    """The text of the message."""


class MessagesReadBody(StrictModel):
    """The number of the newest message that the page showed."""

    up_to: Annotated[int, Field(ge=1, le=999_999)]
    """The number of the newest message that the page showed."""


def require_content(items: Sequence[str], text: str | None, *, pointer: str) -> None:
    """Refuse a request that has nothing to answer.

    Raises:
        MalformedError: there is neither an item nor a text; names the field.
    """
    if not items and text is None:
        error = FieldError(pointer, "missing", "Name at least one item, or write what you need.")
        raise MalformedError("malformed", FIELDS_NOT_VALID, errors=[error])
