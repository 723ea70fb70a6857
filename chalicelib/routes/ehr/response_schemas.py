"""The shapes of CDS Hooks' answers, for the OpenAPI document alone."""

from typing import NotRequired

# pydantic asks for this one on Python 3.11.
from typing_extensions import TypedDict


class CdsServiceShape(TypedDict):
    """One service, as a health record finds it."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: dict[str, str]
    usageRequirements: str


class DiscoveryShape(TypedDict):
    """The services that there are."""

    services: list[CdsServiceShape]


class CardSourceShape(TypedDict):
    """Who says what a card says."""

    label: str
    url: NotRequired[str]


class CardLinkShape(TypedDict):
    """Where a card leads."""

    label: str
    url: str
    type: str


class CardShape(TypedDict):
    """Something to read beside a chart."""

    uuid: str
    summary: str
    indicator: str
    detail: str
    source: CardSourceShape
    links: list[CardLinkShape]


class CardsShape(TypedDict):
    """The cards of a hook; often none."""

    cards: list[CardShape]


class NothingShape(TypedDict):
    """An empty object: it was heard."""
