"""Reports about care are stored encrypted, and rows of earlier releases stay readable."""

import json
from dataclasses import replace
from datetime import date

import pytest

from chalicelib.domain.referrals.adverse_events import AdverseEventKind, AdverseEventStatus
from chalicelib.domain.referrals.care_reports import (
    NO_REPORTS,
    AdverseEventReport,
    BridgingReport,
    RelapseReport,
)
from chalicelib.domain.referrals.care_terms import BridgingStatus, BridgingTeam, DiseaseResponse, RelapseStatus
from chalicelib.domain.referrals.events import EventOrder
from chalicelib.domain.referrals.referral import ReferralStatus
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.store.platform import codec
from tests.support.referral_values import HOUR, NOON, build_referral

ORDER = EventOrder(NOON + HOUR, 3, "evt_1")
CARE = (
    NO_REPORTS.with_adverse_event(
        AdverseEventReport(
            order=ORDER,
            by=Actor.PRACTICE,
            kind=AdverseEventKind.ENTEROCOLITIS,
            grade=3,
            status=AdverseEventStatus.RESOLVED,
            resolved_on=date(2026, 11, 20),
        )
    )
    .with_relapse(RelapseReport(order=ORDER, by=Actor.CENTER, status=RelapseStatus.SUSPECTED))
    .with_bridging(
        BridgingReport(
            order=ORDER,
            by=Actor.PRACTICE,
            status=BridgingStatus.COMPLETED,
            given_by=BridgingTeam.OTHER,
            regimen="Zebraregimen",
            response=DiseaseResponse.STABLE_DISEASE,
        )
    )
)


@pytest.fixture
def items(stores):
    """Converts referrals to rows and back."""
    return stores.referrals.items


def test_reports_are_read_as_they_were_stored(items):
    """With every field."""
    referral = build_referral(Stage.INFUSED, care=CARE)

    assert items.item_to_referral(items.referral_to_item(referral)) == referral


def test_no_report_is_stored_in_clear_text(items):
    """Neither a kind nor a regimen is in the row."""
    row = items.referral_to_item(build_referral(Stage.INFUSED, care=CARE))

    text = repr({name: value for name, value in row.items() if not isinstance(value, bytes)}).lower()
    assert "enterocolitis" not in text
    assert "zebraregimen" not in text


def test_details_do_not_contain_the_reports(items):
    """The sections of a referral are returned to its readers as they are."""
    referral = items.item_to_referral(items.referral_to_item(build_referral(Stage.INFUSED, care=CARE)))

    assert "care" not in referral.details


def test_the_last_toxicity_of_an_earlier_release_is_an_open_adverse_event(items):
    """Its kind and grade are in the timeline; it must not disappear from the wallet card."""
    row = items.referral_to_item(build_referral(Stage.MONITORING))
    row["overlay"] = codec.to_json(ReferralStatus, ReferralStatus(toxicity_at=NOON + HOUR))

    referral = items.item_to_referral(row)

    [event] = referral.care.list_adverse_events()
    assert (event.kind, event.grade, event.since, event.is_open) == (AdverseEventKind.OTHER, None, NOON + HOUR, True)
    assert referral.status.toxicity_at is None


def test_a_row_of_an_earlier_release_without_a_toxicity_has_no_reports(items):
    """Its status has no field for them."""
    row = items.referral_to_item(build_referral())
    status = json.loads(codec.to_json(ReferralStatus, replace(build_referral().status)))
    row["overlay"] = json.dumps({name: value for name, value in status.items() if name != "toxicity_at"})

    assert items.item_to_referral(row).care == NO_REPORTS
