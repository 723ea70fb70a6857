"""What changes the figures: late news, corrections, erasures; and what keeps small groups from being seen."""

import json

import pytest

from chalicelib import wiring
from chalicelib.domain.insights.milestones import Milestone
from chalicelib.services.insights import read
from chalicelib.store.referrals import referrals
from infra.erasure.erase import ErasureReason, erase_referrals
from tests.support import aws_fakes as cloud
from tests.support.factories import CENTER, OTHER_CENTER
from tests.support.insights import (
    CSV,
    INSIGHTS,
    count,
    decline,
    get_insights,
    get_moment,
    list_days,
    move,
    read_csv,
    refer,
)
from tests.support.shared_clinic import open_shared_clinic


@pytest.fixture
def clinic(tmp_path):
    """A clinic in which no one has referred a patient."""
    with open_shared_clinic(tmp_path) as opened:
        yield opened


def test_a_center_name_cannot_run_as_a_formula(clinic):
    """A spreadsheet runs what begins with an equals sign."""
    name = "=HYPERLINK(1)"
    clinic.stores.tenants.table.update(
        {"kind": "center", "tenant_id": OTHER_CENTER.tenant_id},
        "SET #name = :name",
        when="attribute_exists(tenant_id)",
        values={"name": name},
        names={"#name": "name"},
    )
    clinic.stores.tenants._directory_cache.expires_at = 0.0
    for _ in range(5):
        refer(clinic)
        refer(clinic, center_id=OTHER_CENTER.tenant_id)

    groups = {row["Group"] for row in read_csv(clinic.practice.get(f"{CSV}?grouping=center"))}

    assert f"'{name}" in groups
    assert name not in groups


def test_a_small_group_is_not_shown(clinic):
    """Not even how many referrals there are."""
    for _ in range(4):
        refer(clinic)

    total = get_insights(clinic.practice)["total"]

    assert set(count(total).values()) == {None}
    assert (total["open"], total["ended"], total["reasons"]) == (None, None, [])


def test_a_small_group_does_not_follow_from_the_total(clinic):
    """With 9 referrals and 5 of them open, readers would know that 4 ended."""
    for number in range(9):
        referral_id = refer(clinic)
        if number < 4:
            decline(clinic, referral_id)

    total = get_insights(clinic.practice)["total"]

    assert count(total)["submitted"] == 9
    assert (total["open"], total["ended"], total["reasons"]) == (None, None, [])


def test_a_small_older_group_does_not_follow_from_two_periods(clinic):
    """All referrals minus those of 12 months would show the 2 of before."""
    for number in range(7):
        refer(clinic, days_ago=600 if number < 2 else 100)

    recent = count(get_insights(clinic.practice)["total"])["submitted"]
    everything = count(get_insights(clinic.practice, period="all")["total"])["submitted"]

    assert (recent, everything) == (5, None)


def test_a_small_center_does_not_follow_from_the_others(clinic):
    """With 6 and 3 referrals, neither center is shown: the smaller one follows from the total."""
    for number in range(9):
        refer(clinic, center_id=CENTER.tenant_id if number < 6 else OTHER_CENTER.tenant_id)

    insights = get_insights(clinic.practice, grouping="center")

    assert (count(insights["total"])["submitted"], insights["groups"]) == (9, [])


def test_large_groups_are_compared(clinic):
    """By the product that counts now: the one that the practice requested, until the center names one."""
    for _ in range(5):
        refer(clinic)
        refer(clinic, product_id="yescarta")

    groups = get_insights(clinic.practice, grouping="product")["groups"]

    assert {(group["group_id"], count(group)["submitted"]) for group in groups} == {("breyanzi", 5), ("yescarta", 5)}


def test_late_news_counts_in_its_place(clinic):
    """The receipt arrives after the acceptance that followed it."""
    for _ in range(5):
        referral_id = refer(clinic)
        move(clinic, referral_id, "accepted")
        move(clinic, referral_id, "received")

    total = get_insights(clinic.practice)["total"]

    assert list_days(total, "referral_to_received") == (1, 1, 1, 5)
    assert list_days(total, "received_to_accepted") == (2, 2, 2, 5)


def test_a_repeated_delivery_counts_once(clinic):
    """Systems send again what they do not know to have arrived."""
    for _ in range(5):
        referral_id = refer(clinic)
        at = get_moment(97).isoformat()
        for _ in range(2):
            clinic.deliver(referral_id, "accepted", at=at)

    assert count(get_insights(clinic.practice)["total"])["accepted"] == 5


def test_a_corrected_date_replaces_the_old_one(clinic):
    """The last report of the center counts, not the first."""
    for _ in range(5):
        referral_id = refer(clinic)
        move(clinic, referral_id, "received")
        wrong = clinic.deliver(referral_id, "accepted", at=get_moment(60).isoformat()).json["event_id"]
        replacement = {
            "type": "stage.changed",
            "occurred_at": get_moment(95).isoformat(),
            "data": {"stage": "accepted"},
        }
        body = {
            "type": "event.corrected",
            "referral_id": referral_id,
            "occurred_at": wiring.read_clock().isoformat(),
            "data": {"supersedes": wrong, "replacement": replacement},
        }
        assert clinic.deliver_raw(json.dumps(body).encode()).status == 200

    assert list_days(get_insights(clinic.practice)["total"], "received_to_accepted") == (4, 4, 4, 5)


def test_a_reopened_referral_is_open_again(clinic):
    """Its ending no longer counts."""
    for _ in range(5):
        referral_id = refer(clinic)
        decline(clinic, referral_id)
        body = {
            "type": "referral.reopened",
            "occurred_at": wiring.read_clock().isoformat(),
            "data": {"note": "Declined by mistake."},
        }
        answer = clinic.center.post(f"/v1/referrals/{referral_id}/events", body)
        assert answer.status == 200, answer.text

    total = get_insights(clinic.practice)["total"]

    assert (total["open"], total["ended"]) == (5, 0)


def test_an_erased_referral_does_not_count(clinic):
    """Nothing of it is left to count."""
    cloud.create_buckets()
    ids = [refer(clinic) for _ in range(6)]
    context = wiring.build_job_context(wiring.read_clock())
    list(erase_referrals(ids[:1], next(iter(ErasureReason)), actor_id="operator", context=context))

    assert count(get_insights(clinic.practice)["total"])["submitted"] == 5


def test_a_draft_does_not_count(clinic):
    """It was not referred yet."""
    for _ in range(5):
        refer(clinic)
    clinic.refer(submit=False)

    insights = get_insights(clinic.practice)

    assert (count(insights["total"])["submitted"], insights["has_old_rows"]) == (5, False)


def test_steps_in_an_impossible_order_are_not_measured(clinic, monkeypatch):
    """A consultation that took place before the referral has a wrong date."""
    stored = dict.fromkeys(Milestone, get_moment(10)) | {Milestone.CONSULTED: get_moment(20)}
    monkeypatch.setattr("chalicelib.store.referrals.items.list_milestone_times", lambda _referral: stored)
    for _ in range(5):
        refer(clinic, days_ago=1)

    total = get_insights(clinic.practice)["total"]

    assert list_days(total, "consultation_to_leukapheresis") == (10, 10, 10, 5)
    assert list_days(total, "referral_to_consultation") == (None, None, None, 0)


def test_rows_of_an_earlier_release_are_named(clinic, monkeypatch):
    """The page says that something is missing, and the figures have no wrong days."""
    monkeypatch.setattr("chalicelib.store.referrals.items.milestones_to_members", lambda _times: {})
    refer(clinic)

    assert get_insights(clinic.practice)["has_old_rows"] is True


def test_more_referrals_than_the_limit_are_named(clinic, monkeypatch):
    """Those that changed last are counted."""
    monkeypatch.setattr(read, "MAX_REFERRALS", 5)
    for _ in range(6):
        refer(clinic)

    insights = get_insights(clinic.practice)

    assert (count(insights["total"])["submitted"], insights["has_more"]) == (5, True)


def test_a_member_cannot_read_without_end(clinic):
    """Each read goes through the whole list."""
    statuses = {clinic.practice.get(INSIGHTS).status for _ in range(32)}

    assert statuses == {200, 429}


def test_the_rows_of_all_pages_are_counted(clinic, monkeypatch):
    """A list has several pages long before it has 10,000 rows."""
    monkeypatch.setattr(referrals, "ROWS_PER_READ", 2)
    for _ in range(5):
        refer(clinic)

    assert count(get_insights(clinic.practice)["total"])["submitted"] == 5
