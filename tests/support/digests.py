"""What tests of weekly digests share: a Monday, its readers, and their notices."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from chalicelib.domain.identity.members import Member, Role
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.mail import MailMessage
from chalicelib.services.notices.weekly_digest import prepare_digest_writes
from chalicelib.store.platform.dynamo import Item
from tests.support import stores as store_tools
from tests.support.factories import CENTER, PRACTICE, build_member
from tests.support.service_driver import MINUTE, ServiceDriver

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = 7 * DAY
PRACTICE_MEMBER, CENTER_MEMBER = build_member(PRACTICE), build_member(CENTER)
PRACTICE_ADMIN = build_member(PRACTICE, role=Role.ADMIN)
PRACTICE_MONDAY = datetime(2026, 11, 9, 13, tzinfo=UTC)
"""Seven in the morning in Chicago; the center in New York is due an hour before."""

WORKING_HOURS = PRACTICE_MONDAY - WEEK + HOUR
"""A time when both Mondays' digests are done for a week."""


def start_digests(driver: ServiceDriver, *people: Member) -> None:
    """Start the digests of members, as when they were created."""
    for member in people:
        driver.stores.transactions.commit(*prepare_digest_writes(None, member, context=driver.context))


def create_practice_referrals(driver: ServiceDriver) -> ServiceDriver:
    """Create a practice with three referrals before infusion: a draft, a submission, and an information request."""
    driver.now = WORKING_HOURS
    start_digests(driver, PRACTICE_MEMBER, CENTER_MEMBER)
    driver.refer("ref_draft", key="draft", submit=False, patient__alias="Grey Owl")
    driver.refer("ref_sent", key="sent", patient__alias="Blue Heron")
    driver.refer("ref_asked", key="asked", patient__alias="Red Kite")
    driver.now += MINUTE
    driver.deliver("info_requested", referral_id="ref_asked")
    driver.run_queue(TaskQueue.EVENT)
    driver.run_queue(TaskQueue.EVENT, now=driver.now + 2 * HOUR)
    driver.postbox.accepted.clear()
    return driver


def run_digest_job(driver: ServiceDriver, at: datetime = PRACTICE_MONDAY) -> Mapping[str, int]:
    """Run the job once, in a function with empty caches."""
    return driver.restart().run_queue(TaskQueue.DIGEST, now=at)


def list_digest_titles(driver: ServiceDriver, member: Member = PRACTICE_MEMBER) -> list[str]:
    """Return a member's digest notices, newest first."""
    notices, _ = driver.stores.notices.list_page(member.member_id, limit=100, start=None)
    return [notice.title for notice in notices if notice.category is Category.DIGEST]


def list_digest_mails(driver: ServiceDriver, member: Member = PRACTICE_MEMBER) -> list[MailMessage]:
    """Return a member's digest emails."""
    return [m for m, _ in driver.postbox.accepted if m.to == member.email and "Weekly summary" in m.subject]


def get_digest_row(member: Member) -> Item:
    """Return a member's row."""
    [row] = [row for row in store_tools.list_digest_rows() if row["member_id"] == member.member_id]
    return row
