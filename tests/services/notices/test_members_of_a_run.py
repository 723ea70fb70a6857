"""Whom a run notifies: it reads the members of a tenant once, if that is late enough for the task."""

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.store.identity.members import Members
from tests.support import faults
from tests.support.factories import CENTER, build_member
from tests.support.mail_helpers import CENTER_MEMBER, disable_member, list_mail_rows
from tests.support.service_driver import MINUTE
from tests.support.stores import list_rows, list_task_rows

NEWCOMER = build_member(CENTER, n=2)


@pytest.fixture
def services(services):
    """Two submitted referrals. Their notices to the center are still in the outbox."""
    for number in (1, 2):
        services.refer(f"ref_{number}", key=f"key-{number}")
    return services


@pytest.fixture
def lists(monkeypatch):
    """The tenants whose members were listed."""
    listed, real = [], Members.list_for_tenant

    def list_for_tenant(self, tenant_id):
        listed.append(tenant_id)
        return real(self, tenant_id)

    monkeypatch.setattr(Members, "list_for_tenant", list_for_tenant)
    return listed


def test_members_are_listed_once_for_tasks_that_were_due_before_the_run(services, lists):
    """The list contains everyone who was a member when the tasks became due."""
    assert services.run_queue(TaskQueue.EVENT, now=services.now + MINUTE)["done"] == 2

    assert lists == [CENTER.tenant_id]


def test_a_person_who_joins_while_a_run_works_is_notified_of_what_was_just_committed(services, monkeypatch):
    """Of the second event, whose task is so new that the list of the first one might be older."""
    listed, real = [], Members.list_for_tenant

    def list_for_tenant(self, tenant_id):
        listed.append(tenant_id)
        if len(listed) == 2:
            self.add(NEWCOMER)
        return real(self, tenant_id)

    monkeypatch.setattr(Members, "list_for_tenant", list_for_tenant)

    services.run_stream(*[row["outbox_id"] for row in list_task_rows()])

    notified = [row["referral_id"] for row in list_rows("notices") if row["member_id"] == NEWCOMER.member_id]
    assert len(notified) == 1


def test_a_member_who_is_disabled_while_a_run_works_gets_no_email(services, lists):
    """The list of the run still has the member. The email is checked again when it is sent."""
    before_email = faults.plan_interruption(
        "TransactWriteItems", lambda: disable_member(services, CENTER_MEMBER), number=2
    )

    with faults.inject_faults(before_email):
        counts = services.run_queue(TaskQueue.EVENT, now=services.now + MINUTE)

    assert (counts["done"], counts["mails"]) == (2, 0)
    assert {row["why"] for row in list_mail_rows()} == {"not_a_member"}
    assert lists == [CENTER.tenant_id]
