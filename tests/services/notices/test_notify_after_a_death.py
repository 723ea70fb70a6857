"""What is emailed after a death was reported: the death itself, and nothing that became known before it."""

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from tests.support.factories import PRACTICE, build_member
from tests.support.service_driver import MINUTE

READER = build_member(PRACTICE)


@pytest.fixture
def accepted_services(submitted_services):
    """A referral that was accepted, of which no job has notified the practice yet."""
    submitted_services.run_queue(TaskQueue.EVENT)
    submitted_services.postbox.accepted.clear()
    submitted_services.deliver("accepted")
    submitted_services.now += MINUTE
    return submitted_services


def report_death(driver):
    """Report a death, and let the jobs notify everyone."""
    driver.deliver("deceased")
    driver.now += MINUTE
    driver.run_queue(TaskQueue.EVENT)


def test_an_event_that_waited_when_the_death_was_reported_is_not_emailed(accepted_services):
    """Each side gets one email, about the death."""
    report_death(accepted_services)

    subjects = [message.subject for message, _ in accepted_services.postbox.accepted]
    assert sorted(accepted_services.postbox.list_recipients) == [
        "coordinator1@ctr-harbor.example",
        "coordinator1@prc-cedar.example",
    ]
    assert len(set(subjects)) == 1


def test_an_event_that_waited_when_the_death_was_reported_is_in_the_dashboard(accepted_services):
    """Nothing is missing from what was reported."""
    before = accepted_services.stores.notices.count_unread(READER.member_id)

    report_death(accepted_services)

    assert accepted_services.stores.notices.count_unread(READER.member_id) == before + 2
