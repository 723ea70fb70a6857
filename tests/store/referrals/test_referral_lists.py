"""The lists of a tenant's referrals, read from an index."""

from chalicelib.domain.referrals.stages import Stage
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE
from tests.support.referral_values import HOUR, NOON, build_audit_entry, build_referral


def add_referrals(stores, *referrals):
    """Store referrals without their events."""
    for referral in referrals:
        stores.transactions.commit(*stores.referrals.prepare_add(referral, build_audit_entry(referral)))


def list_ids(referrals, index, tenant_id, **options):
    """The ids of the first page of a tenant's list."""
    page = referrals.list_page(index=index, tenant_id=tenant_id, **{"limit": 10, "start": None} | options)
    return [row["referral_id"] for row in page.items]


def test_a_tenant_lists_its_own_referrals_latest_change_first(stores):
    """A practice and a center, each from its own index. Only the practice lists a draft."""
    add_referrals(
        stores,
        build_referral(referral_id="ref_old", updated_at=NOON - HOUR),
        build_referral(referral_id="ref_new", updated_at=NOON + HOUR),
        build_referral(Stage.DRAFT, referral_id="ref_draft"),
        build_referral(referral_id="ref_foreign", practice_id="prc_maple", center_id="ctr_mesa"),
    )

    lists = {
        tenant.tenant_id: list_ids(stores.referrals, index, tenant.tenant_id)
        for index, tenant in (
            ("by_practice", PRACTICE),
            ("by_practice", OTHER_PRACTICE),
            ("by_center", CENTER),
            ("by_center", OTHER_CENTER),
        )
    }

    assert lists == {
        "prc_cedar": ["ref_new", "ref_draft", "ref_old"],
        "prc_maple": ["ref_foreign"],
        "ctr_harbor": ["ref_new", "ref_old"],
        "ctr_mesa": ["ref_foreign"],
    }


def test_a_list_can_be_filtered(stores):
    """By the last change and by attributes. A value is never part of the expression."""
    add_referrals(
        stores,
        build_referral(referral_id="ref_old", updated_at=NOON - HOUR),
        build_referral(Stage.ACCEPTED, referral_id="ref_a"),
    )

    def list_filtered(**options):
        return list_ids(stores.referrals, "by_practice", "prc_cedar", **options)

    assert list_filtered(since=NOON) == ["ref_a"]
    assert list_filtered(where={"stage": ["submitted"]}) == ["ref_old"]
    assert list_filtered(where={"stage": ["submitted", "accepted"]}) == ["ref_a", "ref_old"]
    assert list_filtered(where={"stage": ["submitted", "accepted"], "owner": ["center"], "urgency": ["urgent"]}) == []
    assert list_filtered(where={"stage": ["accepted"], "owner": ["center"]}) == ["ref_a"]
    assert list_filtered(where={"stage": ["x) OR (#stage = y"]}) == []


def test_a_summary_has_what_a_person_needs_to_find_a_referral(stores):
    """The disease is the only clinical data in it."""
    add_referrals(stores, build_referral(Stage.INFUSED, urgency="urgent", version=17))
    row = stores.referrals.list_page(index="by_practice", tenant_id="prc_cedar", limit=1, start=None).items[0]

    summary = stores.referrals.items.row_to_summary(row)

    assert (summary.referral_id, summary.alias, summary.stage_summary.stage) == (
        "ref_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "Blue Heron",
        "infused",
    )
    assert (summary.disease, summary.version, summary.urgency) == ("LBCL", 17, "urgent")
    person = {"family_name": "Example", "given_name": "Ana", "birth_date": "1961-04-02", "mrn": "A-1009"}
    assert summary.patient == person


def test_summaries_have_the_stage_and_owner_of_each_referral(stores):
    """The owner of the next action comes from the index, too."""
    add_referrals(
        stores,
        build_referral(Stage.INFUSED, referral_id="ref_1"),
        build_referral(Stage.HANDED_BACK, referral_id="ref_2"),
        build_referral(Stage.DRAFT, referral_id="ref_3"),
    )

    def list_stages(index, tenant_id):
        summaries = stores.referrals.list_summaries(index=index, tenant_id=tenant_id)
        return sorted((row.stage_summary.stage, row.stage_summary.owner) for row in summaries)

    both = [("handed_back", "practice"), ("infused", "center")]
    assert list_stages("by_center", "ctr_harbor") == both
    assert list_stages("by_practice", "prc_cedar") == [("draft", "practice"), *both]
    assert list_stages("by_practice", "prc_maple") == []
