"""The words of relapse and bridging therapy: their values in the API, and their labels."""

from collections.abc import Mapping
from enum import StrEnum


class RelapseStatus(StrEnum):
    """How certain a relapse is."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    RULED_OUT = "ruled_out"


class BridgingStatus(StrEnum):
    """Where bridging therapy is."""

    PLANNED = "planned"
    STARTED = "started"
    COMPLETED = "completed"
    NONE = "none"
    """The patient gets no bridging therapy."""


class BridgingTeam(StrEnum):
    """Who gives the bridging therapy."""

    PRACTICE = "practice"
    CENTER = "center"
    OTHER = "other"


class DiseaseResponse(StrEnum):
    """How the disease responded to bridging therapy."""

    COMPLETE_RESPONSE = "complete_response"
    PARTIAL_RESPONSE = "partial_response"
    STABLE_DISEASE = "stable_disease"
    PROGRESSIVE_DISEASE = "progressive_disease"
    NOT_ASSESSED = "not_assessed"


RELAPSE_STATUS_LABELS: Mapping[RelapseStatus, str] = {
    RelapseStatus.SUSPECTED: "Relapse suspected",
    RelapseStatus.CONFIRMED: "Relapse confirmed",
    RelapseStatus.RULED_OUT: "Relapse ruled out",
}
BRIDGING_STATUS_LABELS: Mapping[BridgingStatus, str] = {
    BridgingStatus.PLANNED: "Bridging therapy planned",
    BridgingStatus.STARTED: "Bridging therapy started",
    BridgingStatus.COMPLETED: "Bridging therapy completed",
    BridgingStatus.NONE: "No bridging therapy",
}
