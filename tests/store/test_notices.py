"""Members' notices, and how far their mails got."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.store.notices import MailState, Notice
from tests.support import shelves
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
)


@pytest.fixture
def notices(stores):
    """The members' notices."""
    return stores.notices


def page(notices, **how):
    """The notices of the member."""
    return notices.page("mem_1", **{"limit": 10, "start": None} | how)


def test_a_notice_comes_back_as_it_went(notices):
    """Every field, the alias unsealed."""
    notices.start(NOTICE)

    assert page(notices) == ([NOTICE], None)


def test_a_new_notice_has_no_mail_yet(notices):
    """None: nobody was here before."""
    assert notices.start(NOTICE) is None


def test_a_notice_whose_mail_was_not_confirmed_is_sent_again(notices):
    """An earlier run died between the mail service's yes and our mark; we cannot know."""
    notices.start(NOTICE)

    assert notices.start(NOTICE) is MailState.SENDING


def test_a_notice_whose_mail_was_sent_needs_nothing(notices):
    """The mark keeps the next run from sending."""
    notices.start(NOTICE)
    notices.mark_sent(NOTICE, message_id="ses_1", now=NOON)

    assert notices.start(NOTICE) is MailState.SENT


def test_marking_what_is_not_there_makes_nothing(notices):
    """A notice that was removed does not come back as a row without words."""
    notices.mark_sent(NOTICE, message_id="ses_1", now=NOON)

    assert shelves.rows("notices") == []


def test_the_newest_notice_comes_first(notices):
    """Ids start with a time."""
    for n in (2, 1, 3):
        notices.start(replace(NOTICE, notice_id=f"ntc_{n}"))

    first, position = page(notices, limit=2)
    second, end = page(notices, limit=2, start=position)

    assert [notice.notice_id for notice in (*first, *second)] == ["ntc_3", "ntc_2", "ntc_1"]
    assert end is None


def test_a_member_reads_the_own_notices_only(notices):
    """Another member's are another partition."""
    notices.start(replace(NOTICE, member_id="mem_2"))

    assert page(notices) == ([], None)
    assert notices.unread("mem_1") == 0


def test_a_notice_is_read_once(notices):
    """The first time counts; reading it again changes nothing."""
    notices.start(NOTICE)
    assert notices.unread("mem_1") == 1

    marked = [
        notices.mark_read(member_id="mem_1", notice_id="ntc_1", now=NOON + timedelta(hours=n))
        for n in (1, 2)
    ]

    assert marked == [True, True]
    assert notices.unread("mem_1") == 0
    assert page(notices)[0][0].read_at == NOON + timedelta(hours=1)


@pytest.mark.parametrize(("member_id", "notice_id"), [("mem_1", "ntc_2"), ("mem_2", "ntc_1")])
def test_a_notice_that_is_not_ones_own_cannot_be_marked(notices, member_id, notice_id):
    """Not there, or somebody else's: nothing is written."""
    notices.start(NOTICE)
    before = shelves.rows("notices")

    assert not notices.mark_read(member_id=member_id, notice_id=notice_id, now=NOON)
    assert shelves.rows("notices") == before


def test_an_alias_is_sealed(notices):
    """Even the nickname is the practice's own."""
    notices.start(NOTICE)

    assert b"Heron" not in shelves.rows("notices")[0]["alias"]
