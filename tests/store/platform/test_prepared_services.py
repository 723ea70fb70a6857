"""Services that were prepared once are the same for each test."""

from chalicelib.domain.notices.tasks import TaskQueue
from tests.support import aws_fakes
from tests.support.new_worlds import open_services_after
from tests.support.stores import dump_tables


def test_services_are_prepared_once_and_put_back(stores):
    """With the time, the rows and the email after the preparation, and without what a test did later."""
    prepared = []

    def prepare(driver):
        prepared.append(driver)
        driver.refer()
        driver.move_to("received")
        driver.run_queue(TaskQueue.EVENT)
        return driver

    def describe(driver):
        accepted = [message.subject for message, _ in driver.postbox.accepted]
        return driver.now, driver.get_referral().stage, accepted, dump_tables()

    first = open_services_after(prepare, stores)
    before = describe(first)
    first.move_to("accepted")
    first.run_queue(TaskQueue.EVENT, now=first.now.replace(hour=20))
    changed = describe(first)
    aws_fakes.clear_tables()
    second = open_services_after(prepare, stores)

    assert all(new != old for new, old in zip(changed, before, strict=True))
    assert describe(second) == before
    assert len(prepared) == 1
    assert second.stores is not first.stores
