"""Lists and standings: from an index, of one tenant, and nothing sealed in clear."""

from chalicelib.domain.referrals.stages import Stage
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE
from tests.support.referral_values import HOUR, NOON, build_audit_entry, build_referral


def store(stores, *referrals):
    """Store referrals by themselves."""
    for referral in referrals:
        stores.transactions.commit(*stores.referrals.prepare_add(referral, build_audit_entry(referral)))


def page(referrals, index, tenant_id, **how):
    """The ids of a page of a tenant's list, and where it goes on."""
    found = referrals.list_page(index=index, tenant_id=tenant_id, **{"limit": 10, "start": None} | how)
    return [row["referral_id"] for row in found.items], found.next_key


def test_a_list_has_the_tenants_own_referrals_latest_change_first(stores):
    """A practice's and a center's, each by its own index, a draft only in the practice's."""
    store(
        stores,
        build_referral(referral_id="ref_old", updated_at=NOON - HOUR),
        build_referral(referral_id="ref_new", updated_at=NOON + HOUR),
        build_referral(Stage.DRAFT, referral_id="ref_draft"),
        build_referral(referral_id="ref_foreign", practice_id="prc_maple", center_id="ctr_mesa"),
    )

    lists = {
        tenant.tenant_id: page(stores.referrals, index, tenant.tenant_id)[0]
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


def test_a_list_can_be_narrowed(stores):
    """To what changed since, and to attributes; a value is never part of the expression."""
    store(
        stores,
        build_referral(referral_id="ref_old", updated_at=NOON - HOUR),
        build_referral(Stage.ACCEPTED, referral_id="ref_a"),
    )

    def narrowed(**how):
        return page(stores.referrals, "by_practice", "prc_cedar", **how)[0]

    assert narrowed(since=NOON) == ["ref_a"]
    assert narrowed(where={"stage": "submitted"}) == ["ref_old"]
    assert narrowed(where={"stage": "accepted", "owner": "center"}) == ["ref_a"]
    assert narrowed(where={"stage": "x OR #stage = y"}) == []


def test_a_row_of_a_list_is_opened(stores):
    """What a person needs to find a referral, and nothing clinical but the disease."""
    store(stores, build_referral(Stage.INFUSED, urgency="urgent", version=17))
    row = stores.referrals.list_page(index="by_practice", tenant_id="prc_cedar", limit=1, start=None).items[0]

    summary = stores.referrals.items.row_to_summary(row)

    assert (summary.referral_id, summary.alias, summary.stage_summary.stage) == (
        "ref_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "Blue Heron",
        "infused",
    )
    assert (summary.disease, summary.version, summary.urgency) == ("LBCL", 17, "urgent")
    assert summary.patient == {"family_name": "Example", "given_name": "Ana", "birth_date": "1961-04-02"}


def test_summaries_tell_how_each_referral_of_a_tenant_stands(stores):
    """Stage and owner of the next move, from the index alone."""
    store(
        stores,
        build_referral(Stage.INFUSED, referral_id="ref_1"),
        build_referral(Stage.HANDED_BACK, referral_id="ref_2"),
        build_referral(Stage.DRAFT, referral_id="ref_3"),
    )

    def standings(index, tenant_id):
        rows = stores.referrals.list_summaries(index=index, tenant_id=tenant_id)
        return sorted((row.stage_summary.stage, row.stage_summary.owner) for row in rows)

    both = [("handed_back", "practice"), ("infused", "center")]
    assert standings("by_center", "ctr_harbor") == both
    assert standings("by_practice", "prc_cedar") == [("draft", "practice"), *both]
    assert standings("by_practice", "prc_maple") == []
