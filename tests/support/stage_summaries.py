"""Random states of referrals, as lists see them, for tests with Hypothesis."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from chalicelib.domain.referrals.plan_terms import DatedPlan, PlanKind, PlannedDay
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.stages import Stage
from chalicelib.domain.referrals.turnaround import STAGES_WITH_OWN_DATE, TURNAROUND_LIMITS
from chalicelib.domain.referrals.worklists import StageSummary

ZONES = ["America/New_York", "America/Phoenix", "Pacific/Honolulu", "America/Santiago", "UTC"]
"""With and without daylight saving time, and one where it begins at midnight."""

_BEGIN, _END = datetime(2026, 9, 1), datetime(2027, 6, 1)  # noqa: DTZ001 the strategy adds the zone
instants = st.datetimes(_BEGIN, _END, timezones=st.just(UTC))
_days = st.dates(_BEGIN.date(), _END.date())

stage_summaries = st.builds(
    StageSummary,
    # Those whose worklists depend on the day come more often.
    stage=st.sampled_from([*Stage, *TURNAROUND_LIMITS, *STAGES_WITH_OWN_DATE, Stage.INFUSED, Stage.MONITORING]),
    since=instants,
    on_hold=st.booleans(),
    reason_code=st.sampled_from([None, ReasonCode.NO_SHOW]),
    window_ends_on=st.none() | _days,
    revisit_on=st.none() | _days,
    referred_at=st.none() | instants,
    has_gap=st.booleans(),
    withdrawal_requested=st.booleans(),
    requested_items=st.integers(0, 2),
    plans=st.sampled_from([(), (DatedPlan(PlanKind.CONSULTATION, PlannedDay(on=_END.date())),)]),
    time_asked=st.booleans(),
    consultation_canceled=st.booleans(),
    replanned=st.booleans(),
)
