"""What a report about leukapheresis should make both sides notice: it is planned without a coverage clearance."""

from chalicelib.domain.coverage.warnings import CoverageWarning, list_status_warnings
from chalicelib.domain.referrals.events import Corrected, PlanChanged, ReferralEvent, StageChange
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.stage_changes import Applied, Decision, Recorded
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.consent_checks import get_practice_day
from chalicelib.services.referrals.decision_context import load_decision_context


def list_report_warnings(
    decision: Decision, event: ReferralEvent, *, context: RunContext
) -> tuple[CoverageWarning, ...]:
    """List the warnings of a report that plans leukapheresis; none for other reports. It is accepted either way."""
    if not isinstance(decision, Applied | Recorded) or not _plans_leukapheresis(event):
        return ()
    referral = decision.referral
    today = get_practice_day(referral.practice_id, context=context)
    zone = load_decision_context(referral, context=context).time_zone
    return tuple(list_status_warnings(referral, today=today, time_zone=zone))


def _plans_leukapheresis(event: ReferralEvent) -> bool:
    change = event.replacement if isinstance(event, Corrected) else event
    if isinstance(change, PlanChanged):
        return change.plan is PlanKind.LEUKAPHERESIS and not change.canceled
    return isinstance(change, StageChange) and change.stage is Stage.APHERESIS_SCHEDULED
