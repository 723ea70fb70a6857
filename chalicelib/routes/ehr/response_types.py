"""The response types of CDS Hooks 2.0.

They are apart from the code that builds cards, because the first hook loads that code, not every
function that starts.
"""

from typing import NotRequired

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict


class CdsServiceResponse(TypedDict):
    """One service, as an EHR discovers it."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: dict[str, str]
    usageRequirements: str


class CdsDiscoveryResponse(TypedDict):
    """The available services."""

    services: list[CdsServiceResponse]


class CardSourceResponse(TypedDict):
    """The source of a card."""

    label: str
    url: NotRequired[str]


class CardLinkResponse(TypedDict):
    """A link of a card."""

    label: str
    url: str
    type: str


class CardResponse(TypedDict):
    """A card to read next to a chart."""

    uuid: str
    summary: str
    indicator: str
    detail: str
    source: CardSourceResponse
    links: list[CardLinkResponse]


class CardsResponse(TypedDict):
    """The cards of a hook; often none."""

    cards: list[CardResponse]


class FeedbackResponse(TypedDict):
    """An empty object: the feedback was received."""
