"""The history of a referral's facts as the API returns it, and what a reader may change."""

from collections.abc import Sequence
from datetime import date
from typing import Any

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.consent import compute_consent_state
from chalicelib.domain.referrals.facts import OWN_SECTIONS, FactChange, FactRevision, find_fact_label
from chalicelib.domain.referrals.packet import build_packet, needs_financial_help
from chalicelib.domain.referrals.referral import Referral
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.referrals.access import find_why_closed


class FactChangeResponse(TypedDict):
    """One fact that changed. A value that was absent is null."""

    pointer: str
    """Where the value is in a referral, as a JSON pointer (RFC 6901)."""
    label: str
    """The words for it, for display."""
    previous: Any
    """The value before; null if it was absent."""
    new: Any
    """The value after; null if it was removed."""


class FactRevisionResponse(TypedDict):
    """What one person changed at once."""

    change_id: str
    """The ID of the change."""
    changed_at: str
    """When it changed (RFC 3339, UTC)."""
    side: str
    """Which side it comes from: `practice` or `center`."""
    actor_name: str
    """The name of the person or system that did it."""
    facts: list[FactChangeResponse]
    """The facts that changed."""


class ChangePageResponse(TypedDict):
    """A page of changes, newest first."""

    items: list[FactRevisionResponse]
    """The changes, newest first."""
    next_cursor: str | None
    """Send it as `cursor` to read the next page; null on the last page."""


class FactStateResponse(TypedDict):
    """What follows from the facts, and which of them the reader may change."""

    consent_state: str
    financial_help_needed: bool
    can_change: list[str]


def to_revision_response(revision: FactRevision) -> FactRevisionResponse:
    """A change with the values before and after."""
    return {
        "change_id": revision.change_id,
        "changed_at": format_timestamp(revision.changed_at),
        "side": revision.side,
        "actor_name": revision.actor_name,
        "facts": [_to_fact_response(change) for change in revision.changes],
    }


def to_fact_state_response(referral: Referral, member: Member, *, today: date) -> FactStateResponse:
    """What follows from the facts on a day of the practice."""
    return {
        "consent_state": compute_consent_state(referral.details.get("consent_to_share"), today=today),
        "financial_help_needed": needs_financial_help(build_packet(referral)),
        "can_change": _list_changeable_sections(referral, member),
    }


def describe_changed_facts(pointers: Sequence[str], *, withdrew_consent: bool) -> str:
    """The title of a change in the timeline: which facts, never their values."""
    if withdrew_consent:
        return "Consent to share withdrawn"
    labels = list(dict.fromkeys(map(find_fact_label, pointers)))
    return f"{labels[0]} corrected" if len(labels) == 1 else f"{len(labels)} details corrected"


def _list_changeable_sections(referral: Referral, member: Member) -> list[str]:
    if find_why_closed(referral) or not member.has_clinical_access:
        return []
    return sorted(OWN_SECTIONS.get(member.actor, ()))


def _to_fact_response(change: FactChange) -> FactChangeResponse:
    return {
        "pointer": change.pointer,
        "label": find_fact_label(change.pointer),
        "previous": change.previous,
        "new": change.new,
    }
