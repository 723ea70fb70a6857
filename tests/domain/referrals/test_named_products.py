"""The product is requested by the practice, planned with the center's decision, and given at the infusion."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import catalog
from chalicelib.domain.referrals.events import EventSource, ReferralEvent
from chalicelib.domain.referrals.history import replay
from chalicelib.domain.referrals.named_products import NamedProducts
from chalicelib.domain.referrals.stages import Stage
from tests.support.main_path import (
    DAY,
    DRAFT,
    build_correction,
    build_reports_to,
    compute_time,
    get_final_state,
)
from tests.support.referral_values import HOUR, NOON, InMemoryInbox, build_context, build_stage_change

PRODUCTS = ("aucatzyl", "breyanzi", "carvykti")


def build_catalog_context(product_id=None):
    """Build a context with the real catalog."""
    profile = catalog.get_monitoring_profile(product_id)
    return build_context(profile, get_profile=catalog.get_monitoring_profile)


def build_inbox(last, *, requested=None, planned=None, given_product=None):
    """Build an inbox that received the main path up to a stage, with the products that the center named."""
    named = {Stage.CENTER_PROCEED: planned, Stage.INFUSED: given_product}
    events = [replace(e, product_id=named.get(e.stage)) for e in build_reports_to(last)]
    draft = replace(DRAFT, product_id=requested)
    return InMemoryInbox(draft, context=build_catalog_context(requested)).receive(events)


def get_driving_days(inbox):
    """Get the days without driving in the window."""
    assert inbox.referral.window is not None
    return inbox.referral.window.profile.driving_days


@pytest.mark.parametrize(
    ("named", "current"),
    [
        ({}, None),
        ({"requested": "breyanzi"}, "breyanzi"),
        ({"requested": "breyanzi", "planned": "carvykti"}, "carvykti"),
        ({"requested": "breyanzi", "planned": "carvykti", "given_product": "aucatzyl"}, "aucatzyl"),
        ({"given_product": "aucatzyl"}, "aucatzyl"),
    ],
)
def test_the_given_product_counts_before_the_planned_and_the_requested_one(named, current):
    """The last one known."""
    inbox = build_inbox("infused", **named)

    assert inbox.referral.current_product_id == current
    assert inbox.referral.window is not None
    assert inbox.referral.window.profile.product_id == (current or "not_named")


def test_the_longest_figures_count_until_a_product_is_named():
    """No driving to day 56 without a name; two weeks once it is known."""
    assert get_driving_days(build_inbox("infused")) == 56
    assert get_driving_days(build_inbox("infused", planned="breyanzi")) == 14


def test_a_corrected_product_replaces_the_figures_of_an_open_window():
    """The infusion was of another product."""
    inbox = build_inbox("monitoring", planned="breyanzi", given_product="breyanzi")
    right = build_stage_change(Stage.INFUSED, compute_time("infused"), product_id="carvykti")

    inbox.receive([build_correction("infused", right)])

    assert inbox.referral.status.products == NamedProducts(planned="breyanzi", given="carvykti")
    assert inbox.referral.window is not None
    assert inbox.referral.window.profile == catalog.load_products()["carvykti"].profile


def test_a_changed_catalog_does_not_move_the_window_when_another_event_is_corrected():
    """Only another product replaces the figures."""
    inbox = build_inbox("infused", given_product="breyanzi")
    changed = replace(catalog.load_products()["breyanzi"].profile, driving_days=99)
    inbox.context = build_context(changed, get_profile=lambda _: changed)

    inbox.receive([build_correction("accepted", build_stage_change(Stage.ACCEPTED, compute_time("accepted") + HOUR))])

    assert get_driving_days(inbox) == 14


def test_a_split_dose_counts_after_the_product_is_named():
    """Without a name, one infusion was the whole dose."""
    inbox = build_inbox("infused")
    given_part = build_stage_change(Stage.INFUSED, compute_time("infused"), product_id="aucatzyl")

    inbox.receive([build_correction("infused", given_part)])

    assert (inbox.referral.doses_given, inbox.referral.dose_total) == (1, 2)


def test_a_product_that_is_named_when_the_infusion_is_reported_again_counts():
    """The first report named none. It is news, although the status is the same."""
    inbox = build_inbox("infused")
    again = build_stage_change(
        Stage.INFUSED, compute_time("infused") + HOUR, event_id="evt_again", product_id="breyanzi"
    )

    inbox.receive([again])

    assert inbox.referral.status.products.given == "breyanzi"
    assert get_driving_days(inbox) == 14


def test_a_nightly_repeat_does_not_replace_a_corrected_product():
    """The center's system still sends what it sent before the correction."""
    inbox = build_inbox("infused", given_product="breyanzi")
    right = build_stage_change(Stage.INFUSED, compute_time("infused"), product_id="carvykti", source=EventSource.CENTER)
    night = build_stage_change(
        Stage.INFUSED, compute_time("infused") + DAY, event_id="evt_night", product_id="breyanzi"
    )

    inbox.receive([build_correction("infused", right), night])

    assert inbox.referral.status.products.given == "carvykti"


@pytest.mark.parametrize("source", [EventSource.CENTER, EventSource.CENTER_FEED])
def test_a_correction_also_replaces_what_was_repeated_before_it(source):
    """The center's system repeated the wrong product for a night, until a person or the system itself corrected it."""
    inbox = build_inbox("infused", given_product="breyanzi")
    night = build_stage_change(
        Stage.INFUSED, compute_time("infused") + DAY, event_id="evt_night", product_id="breyanzi"
    )
    right = build_stage_change(Stage.INFUSED, compute_time("infused"), product_id="carvykti", source=source)

    inbox.receive([night, build_correction("infused", right, n="z")])

    assert inbox.referral.status.products.given == "carvykti"


def test_a_product_that_was_named_too_early_counts_from_the_infusion_on():
    """An infusion dated before lymphodepletion is history, and the product that it names is the only one known."""
    inbox = build_inbox("lymphodepletion_started")
    early = build_stage_change(
        Stage.INFUSED, compute_time("lymphodepletion_started") - HOUR, event_id="evt_early", product_id="aucatzyl"
    )
    *_, infused = build_reports_to("infused")

    inbox.receive([early])
    assert inbox.referral.current_product_id is None

    inbox.receive([infused])
    assert inbox.referral.status.products.given == "aucatzyl"
    assert get_driving_days(inbox) == 56


def test_a_second_correction_that_names_the_same_product_is_not_a_repeat():
    """The center's system corrects the product, and later the time of the infusion with the same product."""
    inbox = build_inbox("infused", given_product="breyanzi")
    moments = [compute_time("infused") + n * HOUR for n in (1, 2)]
    reports = [build_stage_change(Stage.INFUSED, at, product_id="carvykti") for at in moments]

    inbox.receive(build_correction("infused", report, n=n) for n, report in enumerate(reports))

    assert inbox.referral.status.products.given == "carvykti"


def test_a_product_of_a_stage_that_names_none_is_ignored():
    """Only the decision to proceed and the infusion name one."""
    events = [replace(e, product_id="carvykti") for e in build_reports_to("accepted")]

    assert InMemoryInbox(DRAFT, context=build_catalog_context()).receive(events).referral.status.products == (
        NamedProducts()
    )


def test_the_products_are_the_same_in_every_order_of_arrival():
    """The decision, the infusion and a correction of each."""
    events = [
        replace(e, product_id={"center_proceed": "breyanzi", "infused": "aucatzyl"}.get(e.stage))
        for e in build_reports_to("infused")
    ]
    first, last = events[:5], events[5:6] + events[-1:]
    between = events[6:-1]
    corrections = [
        build_correction(
            "center_proceed",
            build_stage_change(Stage.CENTER_PROCEED, compute_time("center_proceed"), product_id="carvykti"),
        ),
        build_correction(
            "infused", build_stage_change(Stage.INFUSED, compute_time("infused"), product_id="tecartus"), n=2
        ),
    ]
    states = []
    for order in permutations([*last, *corrections]):
        inbox = InMemoryInbox(DRAFT, context=build_catalog_context("breyanzi"))
        states.append(get_final_state(inbox.receive([*first, *between, *order])))

    assert states[0][0].status.products == NamedProducts(planned="carvykti", given="tecartus")
    assert all(state == states[0] for state in states)


@st.composite
def histories_with_products(draw):
    """The main path, reports of its stages again, and corrections, each with any product or none."""
    product = st.sampled_from([None, *PRODUCTS])
    source = st.sampled_from([EventSource.CENTER, EventSource.CENTER_FEED])
    named = (Stage.CENTER_PROCEED, Stage.INFUSED)
    path = [
        replace(e, product_id=draw(product), source=draw(source)) if e.stage in named else e
        for e in build_reports_to("monitoring")
    ]
    more: list[ReferralEvent] = []
    for n in range(draw(st.integers(0, 4))):
        stage = draw(st.sampled_from(named))
        at = compute_time(stage) + draw(st.integers(-30, 60)) * HOUR
        report = build_stage_change(stage, at, event_id=f"evt_more_{n}", product_id=draw(product), source=draw(source))
        if draw(st.booleans()):
            more.append(build_correction(stage, report, n=n, moment=NOON + (90 + n) * DAY))
        else:
            more.append(report)
    return draw(st.permutations([*path, *more]))


@settings(max_examples=300)
@given(events=histories_with_products(), requested=st.sampled_from([None, *PRODUCTS]))
def test_the_state_after_every_event_is_the_replay_of_the_history(events, requested):
    """With products named in any order and as often as the center likes."""
    inbox = InMemoryInbox(replace(DRAFT, product_id=requested), context=build_catalog_context(requested))
    for event in events:
        inbox.receive([event])

        replayed = replay(inbox.referral, inbox.history, build_catalog_context(requested))
        assert replace(replayed, version=0, updated_at=NOON) == replace(inbox.referral, version=0, updated_at=NOON)
