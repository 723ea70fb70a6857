"""How people read the phases of the journey."""

from collections.abc import Mapping

from chalicelib.domain.referrals.stages import Phase

PHASE_LABELS: Mapping[Phase, str] = {
    Phase.ELIGIBILITY: "Eligibility check",
    Phase.REFERRAL: "Referral",
    Phase.CONSULTATION: "Consultation",
    Phase.COLLECTION: "Leukapheresis",
    Phase.MANUFACTURING: "Manufacturing",
    Phase.TREATMENT: "Treatment",
    Phase.MONITORING: "Monitoring",
    Phase.FOLLOW_UP: "Follow-up",
    Phase.CLOSED: "Closed",
}
