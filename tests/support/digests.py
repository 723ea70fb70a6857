"""What tests of weekly digests share: a Monday, its readers, and what they were told."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from chalicelib.domain.identity.members import Member, Role
from chalicelib.domain.notices.notice_rules import Category, Lane
from chalicelib.mail import Message
from chalicelib.services.notices.weekly_digest import digest_writes
from chalicelib.store.platform.dynamo import Item
from tests.support import shelves
from tests.support.desk import MINUTE, Desk
from tests.support.factories import CENTER, PRACTICE, a_member

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = 7 * DAY
OURS, THEIRS = a_member(PRACTICE), a_member(CENTER)
OUR_ADMIN = a_member(PRACTICE, role=Role.ADMIN)
OUR_MONDAY = datetime(2026, 11, 9, 13, tzinfo=UTC)
"""Seven in the morning in Chicago; the center in New York has its own an hour before."""

WORKING_HOURS = OUR_MONDAY - WEEK + HOUR
"""When both Mondays' digests are over for a week."""


def begin(desk: Desk, *people: Member) -> None:
    """Let the digests of members begin, as when they were made members."""
    for member in people:
        desk.stores.ledger.commit(*digest_writes(None, member, stores=desk.stores, now=desk.now))


def open_practice(desk: Desk) -> Desk:
    """A practice with three referrals before infusion: a draft, a submission, and a question."""
    desk.now = WORKING_HOURS
    begin(desk, OURS, THEIRS)
    desk.refer("ref_draft", key="draft", submit=False, patient__alias="Grey Owl")
    desk.refer("ref_sent", key="sent", patient__alias="Blue Heron")
    desk.refer("ref_asked", key="asked", patient__alias="Red Kite")
    desk.now += MINUTE
    desk.deliver("info_requested", referral_id="ref_asked")
    desk.work_off(Lane.EVENT)
    desk.work_off(Lane.EVENT, now=desk.now + 2 * HOUR)
    desk.postbox.taken.clear()
    return desk


def run(desk: Desk, at: datetime = OUR_MONDAY) -> Mapping[str, int]:
    """One run of the job, in a function that remembers nothing."""
    return desk.anew().work_off(Lane.DIGEST, now=at)


def titles(desk: Desk, member: Member = OURS) -> list[str]:
    """The digests that a member was told, newest first."""
    notices, _ = desk.stores.notices.page(member.member_id, limit=100, start=None)
    return [notice.title for notice in notices if notice.category is Category.DIGEST]


def mailed(desk: Desk, member: Member = OURS) -> list[Message]:
    """The digests that a member was mailed."""
    return [m for m, _ in desk.postbox.taken if m.to == member.email and "Your week" in m.subject]


def row_of(member: Member) -> Item:
    """A member's row."""
    [row] = [row for row in shelves.digests() if row["member_id"] == member.member_id]
    return row
