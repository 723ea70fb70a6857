"""Members' notices."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.notices.notice_rules import Category
from chalicelib.store.notices.notices import NOTICE as TOLD
from chalicelib.store.notices.notices import Notice
from chalicelib.store.platform.transactions import ConditionFailedError
from tests.support import stores as shelves
from tests.support.factories import NOON

NOTICE = Notice(
    notice_id="ntc_1",
    member_id="mem_1",
    tenant_id="prc_1",
    outbox_id="out_1",
    rule="handback_near",
    title="Hand-back in 7 days",
    referral_id="ref_1",
    alias="Blue Heron",
    created_at=NOON,
    category=Category.WINDOW,
    mail_id="mail_1",
)


@pytest.fixture
def notices(stores):
    """The members' notices."""
    return stores.notices


@pytest.fixture
def add_notice(stores):
    """Tells a member something."""
    return lambda notice: stores.transactions.commit(stores.notices.prepare_add(notice))


def page(notices, **how):
    """The notices of the member."""
    return notices.list_page("mem_1", **{"limit": 10, "start": None} | how)


def test_a_notice_comes_back_as_it_went(notices, add_notice):
    """Every field, the alias unsealed."""
    add_notice(NOTICE)

    assert page(notices) == ([NOTICE], None)


def test_a_notice_is_told_once(notices, add_notice):
    """A second time is refused by name, and the first stands."""
    add_notice(NOTICE)

    with pytest.raises(ConditionFailedError) as refused:
        add_notice(replace(NOTICE, mail_id="mail_2"))

    assert set(refused.value.items) == {TOLD}
    assert page(notices)[0][0].mail_id == "mail_1"


def test_notices_are_read_by_name_in_the_order_asked_for(notices, add_notice):
    """However many; those of others, and what is gone, are left out."""
    ids = [f"ntc_{n:03}" for n in range(120)]
    for notice_id in ids:
        add_notice(replace(NOTICE, notice_id=notice_id))
    add_notice(replace(NOTICE, notice_id="ntc_other", member_id="mem_2"))

    found = notices.get_many("mem_1", [*ids[::-1], "ntc_other", "ntc_gone"])

    assert [notice.notice_id for notice in found] == ids[::-1]


def test_the_newest_notice_comes_first(notices, add_notice):
    """Ids start with a time."""
    for n in (2, 1, 3):
        add_notice(replace(NOTICE, notice_id=f"ntc_{n}"))

    first, position = page(notices, limit=2)
    second, end = page(notices, limit=2, start=position)

    assert [notice.notice_id for notice in (*first, *second)] == ["ntc_3", "ntc_2", "ntc_1"]
    assert end is None


def test_a_member_reads_the_own_notices_only(notices, add_notice):
    """Another member's are another partition."""
    add_notice(replace(NOTICE, member_id="mem_2"))

    assert page(notices) == ([], None)
    assert notices.count_unread("mem_1") == 0


def test_a_notice_is_read_once(notices, add_notice):
    """The first time counts; reading it again changes nothing."""
    add_notice(NOTICE)
    assert notices.count_unread("mem_1") == 1

    marked = [notices.mark_read(member_id="mem_1", notice_id="ntc_1", now=NOON + timedelta(hours=n)) for n in (1, 2)]

    assert marked == [True, True]
    assert notices.count_unread("mem_1") == 0
    assert page(notices)[0][0].read_at == NOON + timedelta(hours=1)


@pytest.mark.parametrize(("member_id", "notice_id"), [("mem_1", "ntc_2"), ("mem_2", "ntc_1")])
def test_a_notice_that_is_not_ones_own_cannot_be_marked(notices, add_notice, member_id, notice_id):
    """Not there, or somebody else's: nothing is written."""
    add_notice(NOTICE)
    before = shelves.list_rows("notices")

    assert not notices.mark_read(member_id=member_id, notice_id=notice_id, now=NOON)
    assert shelves.list_rows("notices") == before


def test_an_alias_is_sealed(notices, add_notice):
    """Even the nickname is the practice's own."""
    add_notice(NOTICE)

    assert b"Heron" not in shelves.list_rows("notices")[0]["alias"]
