"""The wallet card and notices follow the given product, and say so while none is named."""

from datetime import timedelta

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from tests.support.api_driver import STAGES_TO_INFUSED


def create_infused(site, *, given=None):
    """Refer a patient without a product, and move to the infusion."""
    referral_id = site.refer(product_id=...)["referral_id"]
    for stage in STAGES_TO_INFUSED:
        data = {"product_id": given} if given and stage == "infused" else {}
        assert site.deliver(referral_id, stage, **data).json["status"] == "applied"
    return referral_id


def read_card(site, referral_id):
    """Read the emergency card as the practice."""
    return site.practice.get(f"/v1/referrals/{referral_id}/follow-up").json["card"]


def get_driving_source(card):
    """Where the driving date comes from."""
    return next(line["source"] for line in card["lines"] if line["label"].startswith("Driving"))


def run_day(days):
    """Send the planned notices of a later day."""
    run_job(TaskQueue.PLAN, context=wiring.build_job_context(wiring.read_clock() + timedelta(days=days)))


def list_titles(site, referral_id):
    """List the titles of the practice's notices about a referral."""
    items = site.practice.get("/v1/notices?limit=100").json["items"]
    return [notice["title"] for notice in items if notice["referral_id"] == referral_id]


def test_the_card_names_the_given_product(api):
    """Nobody else named one."""
    card = read_card(api, create_infused(api, given="breyanzi"))

    assert card["product"] == "Breyanzi"
    assert get_driving_source(card).startswith("Product label minimum")


def test_the_card_says_that_no_product_is_named(api):
    """The date is the longest of all labels, and not the minimum of one."""
    card = read_card(api, create_infused(api))

    assert card["product"] is None
    assert get_driving_source(card).startswith("Product not named: longest label minimum of any product")


def test_a_notice_says_that_no_product_is_named(api):
    """Its day is the longest of all labels."""
    referral_id = create_infused(api)
    run_day(15)

    assert any(
        title.startswith("Product not named: longest label minimum for daily monitoring ends today")
        for title in list_titles(api, referral_id)
    )


def test_a_date_that_moves_with_the_product_is_announced_as_a_new_date(api):
    """The driving notice of day 14 was sent before the center named another product."""
    referral_id = create_infused(api, given="breyanzi")
    run_day(8)
    answer = api.deliver(referral_id, "infused", product_id="aucatzyl")
    assert answer.json["status"] == "applied"
    run_day(15)

    assert "New date: Label minimum for daily monitoring ends today" in list_titles(api, referral_id)


def test_the_summary_proposes_the_given_product(api):
    """And its care points."""
    referral_id = create_infused(api, given="breyanzi")

    proposal = api.center.get(f"/v1/referrals/{referral_id}/handback").json["proposal"]

    assert proposal["product_id"] == "breyanzi"
