"""The notices of reports about care: the side, the urgency, and the details."""

import pytest

from chalicelib.domain.notices.care_notices import describe_care_event
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.notice_wording import list_notice_rules
from chalicelib.domain.notices.tasks import build_event_task
from chalicelib.domain.referrals.adverse_events import ADVERSE_EVENT_FACTS, AdverseEventKind, AdverseEventStatus
from chalicelib.domain.referrals.care_terms import BridgingStatus, RelapseStatus
from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    BridgingReported,
    HoldStarted,
    RelapseReported,
    ToxicityNoticed,
)
from chalicelib.domain.referrals.stages import Actor
from tests.support.referral_values import NOON, build_event

K = AdverseEventKind
CRITICAL, UPDATE = Category.CRITICAL, Category.STATUS_UPDATE


def list_notices(event):
    """List the sides that are notified of an event, with the category."""
    return [(side.value, rule.category) for side, rule in list_notice_rules(build_event_task(event, now=NOON))]


@pytest.mark.parametrize(("actor", "other"), [(Actor.CENTER, "practice"), (Actor.PRACTICE, "center")])
@pytest.mark.parametrize(
    ("kind", "fields", "category"),
    [
        (AdverseEventReported, {"kind": K.CRS, "grade": 1}, CRITICAL),
        (AdverseEventReported, {"kind": K.ICANS, "grade": 1}, CRITICAL),
        (AdverseEventReported, {"kind": K.IEC_HS, "grade": 2}, CRITICAL),
        (AdverseEventReported, {"kind": K.INFECTION, "grade": 2}, UPDATE),
        (AdverseEventReported, {"kind": K.INFECTION, "grade": 3}, CRITICAL),
        (AdverseEventReported, {"kind": K.CYTOPENIA, "grade": 1}, UPDATE),
        (AdverseEventReported, {"kind": K.CYTOPENIA}, CRITICAL),
        (AdverseEventReported, {"kind": K.SECOND_MALIGNANCY}, CRITICAL),
        (AdverseEventReported, {"kind": K.PML}, CRITICAL),
        (AdverseEventReported, {"kind": K.READMISSION}, CRITICAL),
        (AdverseEventReported, {"kind": K.CRS, "grade": 4, "status": AdverseEventStatus.RESOLVED}, UPDATE),
        (ToxicityNoticed, {"kind": "infection", "grade": 1}, CRITICAL),
        (ToxicityNoticed, {"kind": "readmission"}, CRITICAL),
        (RelapseReported, {}, UPDATE),
        (BridgingReported, {"status": BridgingStatus.PLANNED}, UPDATE),
    ],
)
def test_the_other_side_is_notified(actor, other, kind, fields, category):
    """Critical if a late reader can mean harm; the older form is always critical, as before."""
    assert list_notices(build_event(kind, actor=actor, **fields)) == [(other, category)]


@pytest.mark.parametrize("kind", AdverseEventKind)
def test_the_details_name_kind_grade_date_reporter_and_advice(kind):
    """The advice has its source."""
    event = build_event(AdverseEventReported, NOON, kind=kind, grade=3)

    text = describe_care_event(event, time_zone="America/New_York")

    facts = ADVERSE_EVENT_FACTS[kind]
    assert text.startswith(f"{facts.label}, grade 3, November 2, 2026. Reported by Harbor Cell Therapy.")
    assert not facts.advice or text.endswith(f" {facts.advice.text} Source: {facts.advice.source}.")


def test_the_details_of_other_reports_name_their_status():
    """Without advice; a resolution needs none either."""
    suspected = build_event(RelapseReported, NOON, status=RelapseStatus.SUSPECTED)
    started = build_event(BridgingReported, NOON, status=BridgingStatus.STARTED)
    resolved = build_event(AdverseEventReported, NOON, kind=K.CRS, grade=2, status=AdverseEventStatus.RESOLVED)

    end = ", November 2, 2026. Reported by Harbor Cell Therapy."
    assert describe_care_event(suspected, time_zone="UTC") == f"Relapse suspected{end}"
    assert describe_care_event(started, time_zone="UTC") == f"Bridging therapy started{end}"
    assert describe_care_event(resolved, time_zone="UTC").startswith(
        "Cytokine release syndrome (CRS), grade 2, resolved"
    )


def test_other_events_have_no_details():
    """Their titles say everything."""
    assert describe_care_event(build_event(HoldStarted), time_zone="UTC") == ""


def test_every_graded_kind_names_its_scale_with_a_year():
    """And kinds without grades name none."""
    graded = {kind for kind, facts in ADVERSE_EVENT_FACTS.items() if facts.grading}

    assert graded == set(AdverseEventKind) - {K.PML, K.SECOND_MALIGNANCY, K.READMISSION}
    assert all(
        any(year in (ADVERSE_EVENT_FACTS[kind].grading or "") for year in ("2019", "2023", "2025")) for kind in graded
    )
