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
    """The ID of the service, for its address."""
    hook: str
    """The hook at which the EHR calls the service."""
    title: str
    """The title, for display."""
    description: str
    """What the service does."""
    prefetch: dict[str, str]
    """The FHIR queries whose results the EHR sends, by their keys."""
    usageRequirements: str
    """What the EHR has to send."""


class CdsDiscoveryResponse(TypedDict):
    """The available services."""

    services: list[CdsServiceResponse]
    """The services of this product."""


class CardSourceResponse(TypedDict):
    """The source of a card."""

    label: str
    """The name of the source."""
    url: NotRequired[str]
    """The address of the source."""


class CardLinkResponse(TypedDict):
    """A link of a card."""

    label: str
    """The words for it, for display."""
    url: str
    """The address that the link opens."""
    type: str
    """The type of link, as CDS Hooks defines it: `absolute`."""


class CardResponse(TypedDict):
    """A card to read next to a chart."""

    uuid: str
    """The ID of the card, for feedback."""
    summary: str
    """One sentence, at most 140 characters."""
    indicator: str
    """How urgent the card is: `info`."""
    detail: str
    """More words, in Markdown."""
    source: CardSourceResponse
    """The source of the card."""
    links: list[CardLinkResponse]
    """Links that the user can open."""


class CardsResponse(TypedDict):
    """The cards of a hook; often none."""

    cards: list[CardResponse]
    """The cards to show; often none."""


class FeedbackResponse(TypedDict):
    """An empty object: the feedback was received."""
