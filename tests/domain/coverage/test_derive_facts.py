"""Each rule from the rows of an answer to the four facts."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from chalicelib.domain.coverage.derive_facts import compute_valid_until, derive_facts
from chalicelib.domain.coverage.facts import (
    NOT_A_GUARANTEE,
    AuthorizationFact,
    AuthorizationNeed,
    CostKind,
    CoverageStatus,
    DeterminationFact,
    DeterminationStatus,
    FactOrigin,
    FactSource,
    NetworkStatus,
    PayerRank,
    Suggestion,
)
from chalicelib.store.platform.codec import from_json, to_json
from tests.support.payer_answers import (
    ANSWERED_AT,
    PAYER,
    a_date,
    a_question,
    a_reference,
    a_row,
    an_answer,
    an_entity,
)

ACTIVE = a_row("1", "30", plan_name="EXAMPLE PPO GOLD", insurance_type="12")


def derive(*rows, question=None, payer=PAYER, **changes):
    return derive_facts(question or a_question(), an_answer(*rows, **changes), payer)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("1", CoverageStatus.ACTIVE),
        ("2", CoverageStatus.ACTIVE),
        ("3", CoverageStatus.ACTIVE),
        ("4", CoverageStatus.ACTIVE),
        ("5", CoverageStatus.ACTIVE_PENDING),
        ("6", CoverageStatus.INACTIVE),
        ("7", CoverageStatus.INACTIVE_PENDING),
        ("8", CoverageStatus.INACTIVE_PENDING),
    ],
)
def test_the_row_about_the_plan_says_whether_it_is_in_force(code, status):
    assert derive(a_row(code, "30")).benefits.status is status


def test_the_plan_comes_before_a_specific_service_type():
    assert derive(a_row("1", "78"), a_row("6", "30")).benefits.status is CoverageStatus.INACTIVE


def test_without_a_row_about_the_plan_a_specific_service_type_counts():
    assert derive(a_row("6", "98"), a_row("1", "78")).benefits.status is CoverageStatus.ACTIVE


def test_a_row_without_service_type_is_about_the_plan():
    assert derive(a_row("1", "78"), a_row("6")).benefits.status is CoverageStatus.INACTIVE


def test_no_row_about_coverage_states_nothing():
    assert derive(a_row("C", "30")).benefits.status is CoverageStatus.NOT_STATED


def test_a_plan_that_is_called_active_and_ended_is_not_stated():
    facts = derive(a_row("1", "30"), a_row("6", "30"))

    assert facts.benefits.status is CoverageStatus.NOT_STATED
    assert facts.benefits.origin.rows == (1, 2)


def test_an_ended_earlier_plan_does_not_contradict_the_active_one():
    by_name = a_row("6", "30", plan_name="OLD PLAN")
    by_date = a_row("6", "30", dates=(a_date("349", "2025-12-31"),))

    assert derive(ACTIVE, by_name).benefits.status is CoverageStatus.ACTIVE
    assert derive(ACTIVE, by_date).benefits.status is CoverageStatus.ACTIVE


def test_the_end_of_an_earlier_plan_is_not_the_end_of_the_active_one():
    earlier = a_row("6", "30", plan_name="OLD PLAN", dates=(a_date("347", "2025-12-31"),))

    facts = derive(ACTIVE, earlier)
    assert facts.benefits.ends_on is None
    assert facts.benefits.origin.valid_until == date(2026, 11, 30)


def test_name_and_type_of_the_plan_come_from_the_row_about_it():
    benefits = derive(ACTIVE).benefits

    assert (benefits.plan_name, benefits.insurance_type) == ("EXAMPLE PPO GOLD", "12")


def test_group_and_plan_number_are_read_from_references():
    benefits = derive(ACTIVE, references=(a_reference("6P", "42"), a_reference("18", "P7"))).benefits

    assert (benefits.group, benefits.plan_number) == ("42", "P7")


@pytest.mark.parametrize("code", ["346", "356", "348"])
def test_coverage_begins_on_the_stated_day(code):
    assert derive(ACTIVE, dates=(a_date(code, "2026-01-01"),)).benefits.begins_on == date(2026, 1, 1)


def test_the_coverage_of_the_person_begins_before_that_of_the_plan_counts():
    dates = (a_date("346", "2026-01-01"), a_date("356", "2026-03-01"))

    assert derive(ACTIVE, dates=dates).benefits.begins_on == date(2026, 3, 1)


def test_the_earlier_of_two_ends_counts():
    dates = (a_date("347", "2026-12-31"), a_date("357", "2026-11-20"))

    assert derive(ACTIVE, dates=dates).benefits.ends_on == date(2026, 11, 20)


def test_a_period_of_the_plan_has_both_ends():
    benefits = derive(ACTIVE, dates=(a_date("291", "2026-01-01", "2026-12-31"),)).benefits

    assert (benefits.begins_on, benefits.ends_on) == (date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("A", CostKind.COINSURANCE),
        ("B", CostKind.COPAY),
        ("C", CostKind.DEDUCTIBLE),
        ("G", CostKind.OUT_OF_POCKET_LIMIT),
    ],
)
def test_each_cost_is_listed_with_its_row(code, kind):
    [cost] = derive(ACTIVE, a_row(code, "48", amount=Decimal("1150.00"), period="29", level="IND")).benefits.costs

    assert (cost.kind, cost.amount, cost.period, cost.level) == (kind, Decimal("1150.00"), "29", "IND")
    assert (cost.service_types, cost.row) == (("48",), 2)


def test_no_cost_is_guessed_for_a_service_type_that_was_not_returned():
    facts = derive(ACTIVE, a_row("B", "98", amount=Decimal(30)), question=a_question(service_types=("30", "78")))

    assert [cost.service_types for cost in facts.benefits.costs] == [("98",)]


def test_covered_and_excluded_service_types_are_listed():
    benefits = derive(ACTIVE, a_row("1", "48"), a_row("I", "70"), a_row("I", "78", in_network="N")).benefits

    assert benefits.covered_service_types == ("30", "48")
    assert benefits.excluded_service_types == ("70",), "not covered out of network only is no exclusion"


def test_other_payers_have_their_order_number_and_date():
    row = a_row(
        "R",
        "30",
        insurance_type="MA",
        references=(a_reference("F6", "1EG4TE5MK73"),),
        dates=(a_date("290", "2026-05-01"),),
        entities=(an_entity("PRP", "MEDICARE", entity_id="CMSMED"),),
    )

    facts = derive(ACTIVE, row)
    [other] = facts.benefits.other_payers
    assert (other.rank, other.name, other.payer_code) == (PayerRank.PRIMARY, "MEDICARE", "CMSMED")
    assert (other.member_number, other.since, other.insurance_type) == ("1EG4TE5MK73", date(2026, 5, 1), "MA")
    assert Suggestion.CHECK_PRIMARY_PAYER in facts.suggestions


@pytest.mark.parametrize(
    ("role", "rank"), [("SEP", PayerRank.SECONDARY), ("TTP", PayerRank.TERTIARY), ("PR", PayerRank.NOT_STATED)]
)
def test_a_payer_that_pays_later_is_no_reason_to_ask_another_first(role, rank):
    facts = derive(ACTIVE, a_row("R", "30", entities=(an_entity(role, "OTHER"),)))

    assert [each.rank for each in facts.benefits.other_payers] == [rank]
    assert facts.suggestions == ()


def test_another_payer_without_a_name_is_still_listed():
    [other] = derive(ACTIVE, a_row("R", "30", insurance_type="12")).benefits.other_payers

    assert (other.rank, other.name, other.insurance_type) == (PayerRank.NOT_STATED, None, "12")


def test_an_authorization_is_required_if_any_row_about_the_treatment_says_so():
    facts = derive(a_row("1", "30", authorization="N"), a_row("CB", "78", authorization="Y", messages=("CALL US",)))

    assert facts.authorization.need is AuthorizationNeed.REQUIRED
    assert facts.authorization.origin.rows == (2,)
    assert facts.authorization.payer_words == ("CALL US",)
    assert Suggestion.SUBMIT_AUTHORIZATION in facts.suggestions


def test_an_authorization_is_not_required_only_if_every_row_about_the_treatment_says_so():
    every = derive(a_row("1", "30", authorization="N"), a_row("A", "48", authorization="N"))
    one_is_empty = derive(a_row("1", "30"), a_row("A", "48", authorization="N"))

    assert every.authorization.need is AuthorizationNeed.NOT_REQUIRED
    assert one_is_empty.authorization.need is AuthorizationNeed.NOT_STATED


def test_an_office_visit_says_nothing_about_the_authorization_of_the_treatment():
    facts = derive(a_row("B", "98", authorization="N"), a_row("B", "35", authorization="Y"))

    assert facts.authorization.need is AuthorizationNeed.NOT_STATED


def test_unknown_is_its_own_value():
    assert derive(a_row("1", "30", authorization="U")).authorization.need is AuthorizationNeed.UNKNOWN


def test_words_alone_require_no_authorization():
    facts = derive(a_row("1", "30", messages=("CAR T REQUIRES PRIOR AUTHORIZATION",)))

    assert facts.authorization.need is AuthorizationNeed.NOT_STATED
    assert facts.authorization.origin.rows == ()


def test_an_authorization_that_the_payer_has_on_file_is_named():
    facts = derive(a_row("CB", "78", authorization="Y", references=(a_reference("G1", "A77"),)))

    assert facts.authorization.number == "A77"
    assert facts.suggestions == ()


def test_the_contact_for_authorizations_is_utilization_management():
    row = a_row("CB", "78", authorization="Y", entities=(an_entity("X3", "UM", phone="8005550100"),))

    contact = derive(row).authorization.contact
    assert (contact.name, contact.contacts[0].value) == ("UM", "8005550100")


def test_the_network_is_not_stated_by_an_in_network_row():
    facts = derive(a_row("1", "30", in_network="Y"), a_row("A", "78", in_network="Y"))

    assert facts.network.status is NetworkStatus.NOT_STATED


def test_out_of_network_needs_every_row_that_was_asked_for():
    every = derive(a_row("1", "30", in_network="N"), a_row("C", "30", in_network="N"))
    some = derive(a_row("1", "30"), a_row("C", "30", in_network="N"))

    assert every.network.status is NetworkStatus.OUT_OF_NETWORK
    assert every.network.origin.rows == (1, 2)
    assert Suggestion.AGREEMENT_NEEDED in every.suggestions
    assert some.network.status is NetworkStatus.NOT_STATED


def test_an_answer_that_was_cut_states_nothing_that_every_row_must_say():
    rows = (a_row("1", "30", in_network="N", authorization="N"), a_row("C", "30", in_network="N", authorization="N"))

    facts = derive(*rows, rows_left_out=1)
    assert facts.network.status is NetworkStatus.NOT_STATED
    assert facts.authorization.need is AuthorizationNeed.NOT_STATED


def test_the_payers_own_words_can_say_out_of_network():
    row = a_row("I", "48", "78", in_network="N", messages=("Requesting provider is NOT IN  NETWORK",))

    network = derive(ACTIVE, row).network
    assert network.status is NetworkStatus.OUT_OF_NETWORK
    assert network.payer_words == row.messages
    assert network.origin.rows == (2,)


def test_words_that_are_not_configured_for_this_payer_say_nothing():
    row = a_row("I", "48", messages=("REQUESTING PROVIDER IS NOT IN NETWORK",))

    facts = derive(ACTIVE, row, payer=replace(PAYER, out_of_network_phrases=("", " ")))
    assert facts.network.status is NetworkStatus.NOT_STATED


def test_a_plan_without_networks_is_not_applicable():
    assert derive(a_row("1", "30", in_network="W")).network.status is NetworkStatus.NOT_APPLICABLE


def test_a_restriction_to_named_providers_lists_them():
    row = a_row(
        "N",
        "78",
        messages=("CELLULAR THERAPY AT DESIGNATED CENTERS ONLY",),
        entities=(an_entity("1P", "EXAMPLE DESIGNATED CENTER"),),
    )

    network = derive(ACTIVE, row).network
    assert network.status is NetworkStatus.DESIGNATED_PROVIDER_REQUIRED
    assert network.designated_providers == ("EXAMPLE DESIGNATED CENTER",)
    assert network.payer_words == row.messages


def test_a_restriction_without_a_provider_or_for_another_service_says_nothing_about_the_network():
    nameless = a_row("N", "78")
    dental = a_row("N", "35", entities=(an_entity("1P", "A DENTIST"),))

    assert derive(ACTIVE, nameless, dental).network.status is NetworkStatus.NOT_STATED


@pytest.mark.parametrize("code", ["1", "I", "N", "O"])
def test_an_answer_never_carries_a_determination(code):
    assert derive(a_row(code, "30")).determination.status is DeterminationStatus.NONE


def test_every_fact_says_where_it_comes_from_and_how_long_it_counts():
    facts = derive(ACTIVE)

    for fact in (facts.benefits, facts.authorization, facts.network, facts.determination):
        assert fact.origin.source is FactSource.ELECTRONIC
        assert fact.origin.as_of == ANSWERED_AT
        assert fact.origin.valid_until == date(2026, 11, 30)
    assert facts.disclaimer == NOT_A_GUARANTEE


@pytest.mark.parametrize(
    ("asked_on", "days", "ends_on", "valid_until"),
    [
        (date(2026, 11, 10), 30, None, date(2026, 11, 30)),
        (date(2026, 2, 28), 30, None, date(2026, 2, 28)),
        (date(2026, 12, 1), 7, None, date(2026, 12, 8)),
        (date(2026, 11, 10), 30, date(2026, 11, 15), date(2026, 11, 15)),
        (date(2026, 11, 10), 30, date(2026, 12, 31), date(2026, 11, 30)),
        (date(2026, 11, 10), 30, date(2026, 9, 30), date(2026, 11, 30)),
    ],
)
def test_an_answer_counts_until_the_earliest_limit(asked_on, days, ends_on, valid_until):
    assert compute_valid_until(asked_on, days, ends_on) == valid_until


def test_an_ended_plan_asks_for_the_new_card():
    facts = derive(a_row("6", "30"), dates=(a_date("346", "2025-01-01"), a_date("347", "2026-09-30")))

    assert facts.benefits.ends_on == date(2026, 9, 30)
    assert facts.suggestions == (Suggestion.ASK_FOR_NEW_CARD,)


def test_a_result_entered_by_hand_has_the_same_types():
    called = FactOrigin(
        source=FactSource.PHONE,
        as_of=ANSWERED_AT,
        valid_until=date(2026, 12, 31),
        entered_by="mem_a",
        reference_number="R-1",
        representative="Pat",
    )

    facts = replace(
        derive(ACTIVE),
        authorization=AuthorizationFact(origin=called, need=AuthorizationNeed.NOT_REQUIRED),
        determination=DeterminationFact(origin=called, status=DeterminationStatus.APPROVED, number="A1"),
    )
    assert facts.authorization.origin.representative == "Pat"


def test_facts_and_answers_can_be_stored_and_read_again():
    facts = derive(ACTIVE, a_row("C", "30", amount=Decimal("1150.00")), a_row("A", "48", percent=Decimal(".2")))
    answer = an_answer(ACTIVE, a_row("C", "30", amount=Decimal("1150.00")))

    assert from_json(type(facts), to_json(type(facts), facts)) == facts
    assert from_json(type(answer), to_json(type(answer), answer)) == answer
