"""The center names the planned product with its decision, and the given one with the infusion."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.factories import CENTER_FACTS

OFFERS = [{**CENTER_FACTS["products"][0], "product_id": each} for each in ("breyanzi", "carvykti", "aucatzyl")]


@pytest.fixture
def site(api, monkeypatch):
    """The API, where the center offers three products."""
    monkeypatch.setitem(api.stores.tenants.get_center("ctr_harbor").listing, "products", OFFERS)
    return api


def read(site, referral_id):
    """Read the referral as the practice."""
    return site.practice.get(f"/v1/referrals/{referral_id}").json


def report(site, referral_id, stage, *, at=None, **data):
    """Report a stage as a person at the center."""
    occurred_at = (at or wiring.read_clock()).isoformat()
    body = {"type": "stage.changed", "occurred_at": occurred_at, "data": {"stage": stage, **data}}
    return site.center.post(f"/v1/referrals/{referral_id}/events", body)


def correct(site, referral_id, event_id, replacement):
    """Replace an event as a person at the center."""
    body = {
        "type": "event.corrected",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"supersedes": event_id, "replacement": replacement},
    }
    return site.center.post(f"/v1/referrals/{referral_id}/events", body)


def move_to_proceed(site, **changed):
    """Refer a patient, up to before the center's decision."""
    referral_id = site.refer(**changed)["referral_id"]
    site.move_to(referral_id, *STAGES_TO_INFUSED[: STAGES_TO_INFUSED.index("center_proceed")])
    return referral_id


def create_infused(site, *, planned=None, given=None, **changed):
    """Refer a patient and move to the infusion, with the products that the center's system names."""
    referral_id = site.refer(**changed)["referral_id"]
    named = {"center_proceed": planned, "infused": given}
    for stage in STAGES_TO_INFUSED:
        data = {"product_id": named[stage]} if named.get(stage) else {}
        assert site.deliver(referral_id, stage, **data).json["status"] == "applied"
    return referral_id


def get_days(window):
    """The days of a window's milestones by kind."""
    return {m["kind"]: m["day"] for m in window["milestones"]}


def test_a_referral_without_a_product_follows_the_planned_and_then_the_given_one(site):
    """By people and by the center's system."""
    referral_id = move_to_proceed(site, product_id=...)
    before = read(site, referral_id)["product"]
    assert before.pop("offered") == ["aucatzyl", "breyanzi", "carvykti"]
    assert report(site, referral_id, "center_proceed", product_id="breyanzi").status == 200
    planned = read(site, referral_id)["product"]
    del planned["offered"]
    site.move_to(referral_id, *STAGES_TO_INFUSED[STAGES_TO_INFUSED.index("apheresis_scheduled") : -1])
    assert site.deliver(referral_id, "infused", product_id="aucatzyl").json["status"] == "applied"
    after = read(site, referral_id)

    nothing = {"requested": None, "planned": None, "given": None, "current": None, "name": None, "is_listed": None}
    assert before == nothing
    assert planned == nothing | {"planned": "breyanzi", "current": "breyanzi", "name": "Breyanzi", "is_listed": True}
    assert after["product"]["given"] == after["product"]["current"] == "aucatzyl"
    assert get_days(after["window"])["driving_minimum_ends"] == 56
    assert get_days(after["window"])["second_part_due"] == 9
    assert (after["window"]["product_named"], after["window"]["product_name"]) == (True, "Aucatzyl")


def test_a_window_without_a_product_says_so(site):
    """The longest periods are not the minimum of any one label."""
    window = read(site, create_infused(site, product_id=...))["window"]

    assert (window["product_named"], window["product_name"]) == (False, None)
    labels = {m["kind"]: m["label"] for m in window["milestones"]}
    assert labels["driving_minimum_ends"] == "Product not named: longest label minimum for not driving ends"
    assert get_days(window)["driving_minimum_ends"] == 56


def test_a_correction_of_the_given_product_moves_the_dates(site):
    """No driving to day 14 instead of day 56; what was planned from the old dates is replanned."""
    referral_id = create_infused(site, product_id=..., given="aucatzyl")
    events = site.center.get(f"/v1/referrals/{referral_id}/events").json["items"]
    wrong = next(e for e in events if e["stage"] == "infused")
    data = wrong["data"] | {"product_id": "carvykti", "of": 1}

    answer = correct(site, referral_id, wrong["event_id"], {"occurred_at": wrong["occurred_at"], "data": data})

    assert answer.json["status"] == "applied"
    window = read(site, referral_id)["window"]
    assert get_days(window)["driving_minimum_ends"] == 14
    assert "second_part_due" not in get_days(window)
    assert len(window["late_effects"]) == 3
    rules = {n["rule"]: n["due_on"] for n in window["notices"] if n["state"] == "planned"}
    assert "driving_minimum_ends" not in rules
    assert rules["label_minimum_ends"] == next(m["on"] for m in window["milestones"] if m["day"] == 14)


def test_the_timeline_returns_the_product_as_it_was_sent(site):
    """In `data`, where the sender wrote it."""
    referral_id = create_infused(site, planned="carvykti")

    events = site.practice.get(f"/v1/referrals/{referral_id}/events").json["items"]

    assert next(e for e in events if e["stage"] == "center_proceed")["data"] == {
        "stage": "center_proceed",
        "product_id": "carvykti",
    }


def test_lists_show_the_product_that_counts(site):
    """The practice requested another one."""
    referral_id = create_infused(site, planned="carvykti", given="breyanzi", product_id="carvykti")

    rows = site.practice.get("/v1/referrals").json["items"]

    assert {row["referral_id"]: row["product_id"] for row in rows}[referral_id] == "breyanzi"


def test_the_same_product_again_is_no_news(site):
    """A nightly repeat of the infusion with its product."""
    referral_id = create_infused(site, given="breyanzi")
    version = read(site, referral_id)["version"]

    answer = site.deliver(referral_id, "infused", product_id="breyanzi")

    assert answer.json["status"] == "recorded"
    assert read(site, referral_id)["version"] == version + 1


def test_a_product_that_a_system_names_later_counts(site):
    """Its first report of the infusion had none."""
    referral_id = create_infused(site, product_id=...)

    answer = site.deliver(referral_id, "infused", product_id="breyanzi")

    assert answer.json["status"] == "applied"
    assert get_days(read(site, referral_id)["window"])["driving_minimum_ends"] == 14


def test_an_infusion_that_arrives_before_the_decision_gets_the_same_dates(site):
    """The center's deliveries overtake each other."""
    referral_id = move_to_proceed(site, product_id=...)
    now = wiring.read_clock()
    stages = STAGES_TO_INFUSED[STAGES_TO_INFUSED.index("center_proceed") :]
    times = {stage: (now + timedelta(seconds=n)).isoformat() for n, stage in enumerate(stages)}
    for stage in reversed(stages):
        data = {"product_id": "carvykti"} if stage == "center_proceed" else {}
        site.deliver(referral_id, stage, at=times[stage], **data)

    result = read(site, referral_id)

    assert (result["stage"], result["product"]["planned"]) == ("infused", "carvykti")
    assert result["window"]["product_name"] == "Carvykti"


@pytest.mark.parametrize("stage", ["center_proceed", "infused"])
def test_a_person_cannot_name_a_product_that_the_center_does_not_offer(site, stage):
    """The error names the field, and nothing is done."""
    referral_id = move_to_proceed(site)
    if stage == "infused":
        site.move_to(referral_id, *STAGES_TO_INFUSED[STAGES_TO_INFUSED.index("center_proceed") : -1])
    before = read(site, referral_id)["version"]

    answer = report(site, referral_id, stage, product_id="kymriah")

    assert (answer.status, answer.json["code"]) == (400, "product_not_offered")
    assert answer.json["errors"][0]["pointer"] == "/data/product_id"
    assert read(site, referral_id)["version"] == before


def test_a_product_that_a_system_gave_counts_even_if_the_directory_does_not_list_it(site):
    """It is a fact about the patient. Both sides see that the directory is different."""
    product = read(site, create_infused(site, given="kymriah"))["product"]

    assert (product["current"], product["is_listed"]) == ("kymriah", False)


def test_an_unknown_product_is_refused(site):
    """From people and from a center's system."""
    referral_id = move_to_proceed(site)

    by_person = report(site, referral_id, "center_proceed", product_id="wonder_cells")
    by_system = site.deliver(referral_id, "center_proceed", product_id="wonder_cells")

    for answer in (by_person, by_system):
        assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, "/data/product_id")
    assert read(site, referral_id)["stage"] == "consult_completed"


def test_a_correction_to_an_unknown_product_names_the_field(site):
    """The pointer leads into the replacement."""
    replacement = {
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"stage": "infused", "product_id": "wonder_cells"},
    }

    answer = correct(site, create_infused(site), "evt_a", replacement)

    assert answer.status == 400
    assert answer.json["errors"][0]["pointer"] == "/data/replacement/data/product_id"


def test_a_product_with_another_stage_is_refused_from_people_and_ignored_from_systems(site):
    """Only the decision and the infusion name a product."""
    referral_id = site.refer()["referral_id"]
    site.move_to(referral_id, "received")

    assert report(site, referral_id, "accepted", product_id="carvykti").json["code"] == "product_not_expected"
    assert site.deliver(referral_id, "accepted", product_id="carvykti", webhook_id="msg_extra").status == 200
    assert read(site, referral_id)["product"]["current"] == "breyanzi"


@pytest.mark.parametrize("value", ["AAA", 7, {}])
def test_a_product_of_a_wrong_type_is_refused_with_every_stage(site, value):
    """Also where the product itself would be ignored: the document says what a product looks like."""
    answer = site.deliver(site.refer()["referral_id"], "received", product_id=value)

    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, "/data/product_id")


def test_the_practice_cannot_name_a_planned_product(site):
    """The decision is the center's."""
    referral_id = move_to_proceed(site)
    body = {
        "type": "stage.changed",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"stage": "center_proceed", "product_id": "breyanzi"},
    }

    answer = site.practice.post(f"/v1/referrals/{referral_id}/events", body)

    assert (answer.status, answer.json["code"]) == (409, "not_your_move")
