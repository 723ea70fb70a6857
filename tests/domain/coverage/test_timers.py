"""The time limits of payers: which are shown for whom, and from when."""

from datetime import date

import pytest

from chalicelib.domain.coverage.timers import TIMERS, Funding, RequestKind, TimedStep, list_timers

TODAY = date(2026, 11, 2)


def list_days(plan_type, kind=RequestKind.UNKNOWN, *, on=TODAY, funding=Funding.UNKNOWN):
    return {timer.step: timer.days or timer.hours for timer in list_timers(plan_type, kind, on=on, funding=funding)}


def test_seven_days_apply_to_a_service_of_medicare_advantage_and_not_to_a_drug():
    """CMS-0057-F excludes drugs."""
    assert list_days("medicare_advantage", RequestKind.SERVICE)[TimedStep.DECISION] == 7
    assert TimedStep.DECISION not in list_days("medicare_advantage", RequestKind.DRUG)


def test_an_unknown_kind_of_request_shows_the_limits_with_their_caution():
    """A reader decides, with the caution next to the figure."""
    [timer] = [t for t in list_timers("medicare_advantage", RequestKind.UNKNOWN, on=TODAY) if t.step == "decision"]

    assert timer.caution
    assert "depends on how the plan treats CAR T" in timer.caution


@pytest.mark.parametrize("plan_type", ["tricare", "va", "other", "self_pay", "uninsured", None])
def test_no_figure_is_shown_where_no_row_matches(plan_type):
    """The plan's own rules count."""
    assert list_days(plan_type) == {}


@pytest.mark.parametrize("plan_type", ["commercial", "marketplace", "tricare", "medicare_ffs"])
@pytest.mark.parametrize("kind", RequestKind)
def test_the_federal_seven_days_are_never_shown_for_other_plans(plan_type, kind):
    """They do not cover employer plans, marketplace plans and Medicare itself."""
    assert list_days(plan_type, kind).get(TimedStep.DECISION) != 7


def test_a_rule_is_not_shown_before_its_first_day():
    """The seven days are from 2026."""
    assert TimedStep.DECISION not in list_days("medicare_advantage", RequestKind.SERVICE, on=date(2025, 12, 31))


def test_a_fully_insured_plan_has_no_federal_figure_for_the_decision():
    """State law can set a shorter one."""
    assert TimedStep.DECISION not in list_days("commercial", funding=Funding.FULLY_INSURED)
    assert list_days("commercial", funding=Funding.SELF_FUNDED)[TimedStep.DECISION] == 15


def test_a_row_that_was_not_compared_with_the_law_is_never_shown():
    """It stays in the table, for a person who can check it in the law."""
    unchecked = [timer for timer in TIMERS if not timer.is_checked]

    shown = [
        t
        for plan in {p for t in TIMERS for p in t.plan_types}
        for t in list_timers(plan, RequestKind.UNKNOWN, on=TODAY)
    ]

    assert unchecked
    assert not [timer for timer in shown if timer in unchecked]


def test_every_row_names_its_source_and_one_length():
    """Days or hours, never both."""
    assert all(timer.source and (timer.days is None) is not (timer.hours is None) for timer in TIMERS)


def test_hours_are_counted_as_whole_days():
    """No one here knows the hour of the payer's receipt."""
    [timer] = [t for t in TIMERS if t.plan_types == {"medicaid"} and t.hours == 72]

    assert timer.find_day(date(2026, 3, 1)) == date(2026, 3, 4)
