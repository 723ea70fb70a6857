"""The notices of a member."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.notices.notice_rules import Category
from chalicelib.store.notices.notices import NOTICE as NOTICE_WRITE
from chalicelib.store.notices.notices import Notice
from chalicelib.store.platform.transactions import ConditionFailedError
from tests.support.factories import NOON
from tests.support.stores import list_rows

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
    """The store of notices."""
    return stores.notices


@pytest.fixture
def add_notice(stores):
    """A function that stores a notice."""
    return lambda notice: stores.transactions.commit(stores.notices.prepare_add(notice))


def list_page(notices, **options):
    """One page of the member's notices."""
    return notices.list_page("mem_1", **{"limit": 10, "start": None} | options)


def test_a_stored_notice_has_every_field(notices, add_notice):
    """Including the alias, which is stored encrypted."""
    add_notice(NOTICE)

    assert b"Heron" not in list_rows("notices")[0]["alias"]
    assert list_page(notices) == ([NOTICE], None)


def test_a_second_notice_with_the_same_id_is_refused(notices, add_notice):
    """The error names the write, and the first notice stays."""
    add_notice(NOTICE)

    with pytest.raises(ConditionFailedError) as error:
        add_notice(replace(NOTICE, mail_id="mail_2"))

    assert set(error.value.items) == {NOTICE_WRITE}
    assert list_page(notices)[0][0].mail_id == "mail_1"


def test_notices_are_read_in_the_order_of_the_requested_ids(notices, add_notice):
    """More than one call can read. Notices of other members and missing ones are left out."""
    ids = [f"ntc_{n:03}" for n in range(120)]
    for notice_id in ids:
        add_notice(replace(NOTICE, notice_id=notice_id))
    add_notice(replace(NOTICE, notice_id="ntc_other", member_id="mem_2"))

    read = notices.get_many("mem_1", [*ids[::-1], "ntc_other", "ntc_gone"])

    assert [notice.notice_id for notice in read] == ids[::-1]


def test_the_newest_notice_comes_first(notices, add_notice):
    """Because ids start with a time."""
    for n in (2, 1, 3):
        add_notice(replace(NOTICE, notice_id=f"ntc_{n}"))

    first, position = list_page(notices, limit=2)
    second, end = list_page(notices, limit=2, start=position)

    assert [notice.notice_id for notice in (*first, *second)] == ["ntc_3", "ntc_2", "ntc_1"]
    assert end is None


def test_a_member_reads_only_their_own_notices(notices, add_notice):
    """Another member's notices are in another partition."""
    add_notice(replace(NOTICE, member_id="mem_2"))

    assert list_page(notices) == ([], None)
    assert notices.count_unread("mem_1") == 0


def test_only_the_first_read_of_a_notice_is_recorded(notices, add_notice):
    """Reading it again changes nothing."""
    add_notice(NOTICE)
    assert notices.count_unread("mem_1") == 1

    marked = [notices.mark_read(member_id="mem_1", notice_id="ntc_1", now=NOON + timedelta(hours=n)) for n in (1, 2)]

    assert marked == [True, True]
    assert notices.count_unread("mem_1") == 0
    assert list_page(notices)[0][0].read_at == NOON + timedelta(hours=1)


@pytest.mark.parametrize(("member_id", "notice_id"), [("mem_1", "ntc_2"), ("mem_2", "ntc_1")])
def test_a_member_cannot_mark_another_notice_as_read(notices, add_notice, member_id, notice_id):
    """One that does not exist or belongs to another member. Nothing is written."""
    add_notice(NOTICE)
    before = list_rows("notices")

    assert not notices.mark_read(member_id=member_id, notice_id=notice_id, now=NOON)
    assert list_rows("notices") == before
