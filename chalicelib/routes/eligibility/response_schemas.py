"""The shapes of a screen's answer; what `shapes` says of shapes holds here too."""

# pydantic asks for this one on Python 3.11.
from typing_extensions import TypedDict


class SourceShape(TypedDict):
    """Where something was read, and the day that it speaks for."""

    source_id: str
    title: str
    url: str
    as_of: str


class NotEnteredShape(TypedDict):
    """Something that was not entered."""

    pointer: str
    label: str


class EnteredShape(TypedDict):
    """Something that was entered, as a rule read it."""

    pointer: str
    label: str
    value: str


class ReasonShape(TypedDict):
    """One rule, what it read, and what it made of that. `met` is null where something is missing.

    Reasons of one row with the same `either` above 0 are alternatives: one of them is enough.
    """

    row_id: str
    rule: str
    text: str
    met: bool | None
    either: int
    entered: list[EnteredShape]
    missing: list[NotEnteredShape]
    source: SourceShape
    unverified: bool


class RowResultShape(TypedDict):
    """One way to meet an indication."""

    row_id: str
    text: str
    result: str
    missing: list[NotEnteredShape]


class IndicationResultShape(TypedDict):
    """What a screen says of one product's indication: never more than its criteria."""

    product_id: str
    product_name: str
    indication: str
    indication_name: str
    result: str
    rows: list[RowResultShape]
    reasons: list[ReasonShape]
    missing: list[NotEnteredShape]
    limitations: list[str]
    label_as_of: str
    version: str
    sources: list[SourceShape]


class AnchorShape(TypedDict):
    """What one source says of a threshold."""

    says: str
    source: SourceShape


class FlagShape(TypedDict):
    """Something to discuss with the center."""

    flag: str
    label: str
    value: str
    text: str
    source: str
    anchors: list[AnchorShape]


class CollectionCheckShape(TypedDict):
    """One check against the planned day of collection."""

    check: str
    label: str
    state: str
    last_on: str | None
    clear_from: str | None
    missing: list[NotEnteredShape]
    source: str
    anchors: list[AnchorShape]


class ScreeningShape(TypedDict):
    """The answer of a screen."""

    results: list[IndicationResultShape]
    discuss_with_center: list[FlagShape]
    not_asked: list[NotEnteredShape]
    collection_checks: list[CollectionCheckShape]
    planned_collection_on: str | None
    screened_on: str
    catalogue_version: str
    disclaimer: str
    disclaimers: list[str]
    emergency_note: str
