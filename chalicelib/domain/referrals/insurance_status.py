"""The coverage status of a referral with what follows from its insurance: without one there is nothing to verify."""

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.coverage_status import TrackStatus, VerificationState
from chalicelib.domain.referrals.packet import build_packet, needs_financial_help
from chalicelib.domain.referrals.referral import Referral

_PAYER = "/insurance/payer"


def find_coverage_status(referral: Referral) -> TrackStatus:
    """Find the stored status, or `not_applicable` for a patient without insurance."""
    if has_no_insurance(referral):
        return replace(referral.coverage, verification=VerificationState.NOT_APPLICABLE)
    return referral.coverage


def has_no_insurance(referral: Referral) -> bool:
    """Whether the practice said that there is no payer."""
    packet = build_packet(referral)
    answers = packet.get("none_because") or ()
    return needs_financial_help(packet) or any(answer["item"] == _PAYER for answer in answers)
