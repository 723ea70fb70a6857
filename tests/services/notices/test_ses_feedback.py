"""SES events: delivery, bounces, suppressed addresses, and escalation to colleagues."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.errors import UnavailableError
from chalicelib.mail import TemplateError
from chalicelib.store.notices.leases import LEASE_DURATION, MAX_ATTEMPTS
from chalicelib.store.notices.mail_status import load_mail_statuses
from chalicelib.store.notices.mails import Mails
from tests.support import faults, sns_sender
from tests.support.factories import PRACTICE, build_member
from tests.support.mail_helpers import CENTER_MEMBER, disable_member, list_mail_rows, list_subjects, send_mail_event
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION, FailingMailer
from tests.support.stores import list_rows


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 1, 0, 2, 0)])
def test_ses_events_can_arrive_in_any_order(services, order):
    """A delivery event that arrives after the bounce does not undo it."""
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    [row] = list_mail_rows()
    at, mail_id = services.now, row["outbox_id"]
    events = [
        sns_sender.build_ses_event("Send", mail_id, at=at, to=CENTER_MEMBER.email),
        sns_sender.build_ses_event("Delivery", mail_id, at=at + MINUTE, to=CENTER_MEMBER.email),
        sns_sender.build_hard_bounce(mail_id, at=at + 2 * MINUTE, to=CENTER_MEMBER.email),
    ]

    for n in order:
        send_mail_event(services, events[n])

    assert load_mail_statuses(services.stores.mails, [mail_id])[mail_id].state == "bounced"


def test_a_hard_bounce_suppresses_only_that_address(services):
    """The event arrives three times. A new address of the same person gets email again."""
    services.refer("ref_1", key="key-1")
    services.run_queue(TaskQueue.EVENT)
    [row] = list_mail_rows()
    for _ in range(3):
        send_mail_event(
            services, sns_sender.build_hard_bounce(row["outbox_id"], at=services.now, to=CENTER_MEMBER.email)
        )
    services.postbox.accepted.clear()
    services.refer("ref_2", key="key-2")
    suppressed = services.run_queue(TaskQueue.EVENT)
    moved = replace(CENTER_MEMBER, email="new.address@harbor.example", version=CENTER_MEMBER.version + 1)
    services.stores.transactions.commit(services.stores.members.prepare_save(moved))
    services.refer("ref_3", key="key-3")

    services.run_queue(TaskQueue.EVENT)

    assert (suppressed["mails"], suppressed["unsent"]) == (0, 1)
    assert services.postbox.list_recipients == ["new.address@harbor.example"]
    assert len(list_rows("recipients")) == 1 + 3, "one suppression, and three threads"
    assert "harbor.example" not in str(list_rows("recipients"))


def test_a_transient_bounce_suppresses_nothing(services):
    """For example a full mailbox."""
    services.refer("ref_1", key="key-1")
    services.run_queue(TaskQueue.EVENT)
    [row] = list_mail_rows()

    full = sns_sender.build_ses_event(
        "Bounce", row["outbox_id"], at=services.now, to=CENTER_MEMBER.email, bounceType="Transient"
    )
    send_mail_event(services, full)

    services.refer("ref_2", key="key-2")
    assert services.run_queue(TaskQueue.EVENT)["mails"] == 1


@pytest.fixture
def two_member_services(services):
    """A practice with a second coordinator, and a third one who is also an administrator."""
    for n, roles in ((21, {Role.COORDINATOR}), (22, {Role.COORDINATOR, Role.ADMIN})):
        member = replace(build_member(PRACTICE, n=n), roles=frozenset(roles))
        services.stores.members.add(member)
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION[:7])
    services.run_queue(TaskQueue.EVENT)
    services.postbox.accepted.clear()
    return services


def test_a_critical_email_that_bounces_is_escalated_once(two_member_services):
    """To the administrator first, however often the bounce event arrives."""
    practice = build_member(PRACTICE)
    two_member_services.move_to("out_of_specification")
    two_member_services.run_queue(TaskQueue.EVENT)
    [failed_mail] = list_mail_rows(kind="critical", member_id=practice.member_id)
    two_member_services.postbox.accepted.clear()
    for _ in range(3):
        send_mail_event(
            two_member_services,
            sns_sender.build_hard_bounce(failed_mail["outbox_id"], at=two_member_services.now, to=practice.email),
        )

    two_member_services.run_queue(TaskQueue.EVENT)

    assert two_member_services.postbox.list_recipients == [build_member(PRACTICE, n=22).email]
    assert list_subjects(two_member_services) == ["Blue Heron: critical notice not delivered to a colleague"]


def test_a_critical_notice_to_a_suppressed_address_is_escalated(two_member_services):
    """The address was already suppressed, and nothing is sent to it."""
    practice = build_member(PRACTICE)
    [earlier, *_] = list_mail_rows(member_id=practice.member_id)
    send_mail_event(
        two_member_services,
        sns_sender.build_hard_bounce(earlier["outbox_id"], at=two_member_services.now, to=practice.email),
    )
    two_member_services.move_to("out_of_specification")

    two_member_services.run_queue(TaskQueue.EVENT)

    subject_by_recipient = {message.to: message.subject for message, _ in two_member_services.postbox.accepted}
    assert practice.email not in subject_by_recipient
    assert len(list_mail_rows(kind="escalation", state="done")) == 1
    assert [row["why"] for row in list_mail_rows(kind="critical", state="skipped")] == ["suppressed"]


def test_a_crash_while_an_email_is_skipped_still_escalates(two_member_services, monkeypatch):
    """The email is marked as skipped, and no later run would look at it again."""
    practice = build_member(PRACTICE)
    [earlier, *_] = list_mail_rows(member_id=practice.member_id)
    send_mail_event(
        two_member_services,
        sns_sender.build_hard_bounce(earlier["outbox_id"], at=two_member_services.now, to=practice.email),
    )
    two_member_services.move_to("out_of_specification")
    skip = Mails.mark_skipped

    def crash_after_skip(*args, **kwargs):
        skip(*args, **kwargs)
        raise faults.SimulatedCrash

    monkeypatch.setattr(Mails, "mark_skipped", crash_after_skip)
    with pytest.raises(faults.SimulatedCrash):
        two_member_services.run_queue(TaskQueue.EVENT)
    monkeypatch.setattr(Mails, "mark_skipped", skip)
    two_member_services.now += LEASE_DURATION + MINUTE
    two_member_services.run_queue(TaskQueue.EVENT)

    assert len(list_mail_rows(kind="escalation", state="done")) == 1


def test_a_critical_notice_to_a_disabled_member_is_escalated(two_member_services):
    """The member was disabled after the critical email was planned."""
    practice = build_member(PRACTICE)
    two_member_services.postbox = FailingMailer(refused="@", error=UnavailableError())
    two_member_services.move_to("out_of_specification")
    two_member_services.run_queue(TaskQueue.EVENT)
    disable_member(two_member_services, practice)
    two_member_services.postbox.refused = ""

    two_member_services.now += 60 * MINUTE
    two_member_services.run_queue(TaskQueue.EVENT)

    assert practice.email not in two_member_services.postbox.list_recipients
    assert len(list_mail_rows(kind="escalation", state="done")) == 1


@pytest.mark.parametrize(("error", "hours"), [(TemplateError("critical_notice"), 0), (KeyError("Ana Example"), 8)])
def test_a_critical_email_that_fails_for_the_last_time_is_escalated(two_member_services, error, hours):
    """Its template is broken, or it failed 12 times. A person must fix that first."""
    practice = build_member(PRACTICE)
    two_member_services.postbox = FailingMailer(refused=practice.email, error=error)
    two_member_services.move_to("out_of_specification")
    for _ in range(1 + 4 * hours):
        two_member_services.run_queue(TaskQueue.EVENT)
        two_member_services.now += 15 * MINUTE

    [failed_mail] = list_mail_rows(kind="critical", member_id=practice.member_id)
    assert failed_mail["state"] == "parked"
    assert len(list_mail_rows(kind="escalation", state="done")) == 1


def test_a_critical_email_that_crashed_12_runs_is_escalated(two_member_services):
    """None of those runs could escalate it."""
    practice = build_member(PRACTICE)
    two_member_services.postbox = FailingMailer(refused=practice.email)
    two_member_services.move_to("out_of_specification")
    two_member_services.run_queue(TaskQueue.EVENT)
    [failed_mail] = list_mail_rows(kind="critical", member_id=practice.member_id)
    for _ in range(MAX_ATTEMPTS):
        two_member_services.now += LEASE_DURATION
        [row] = two_member_services.stores.outbox.list_unfinished([failed_mail["outbox_id"]], queue=TaskQueue.MAIL)
        two_member_services.stores.outbox.claim(row, now=two_member_services.now)
    two_member_services.now += LEASE_DURATION
    two_member_services.run_queue(TaskQueue.MAIL)

    [failed_mail] = list_mail_rows(kind="critical", member_id=practice.member_id)
    assert failed_mail["state"] == "parked"
    assert len(list_mail_rows(kind="escalation", state="done")) == 1


def test_each_failed_escalation_goes_to_the_next_colleague(two_member_services):
    """No email is accepted. Each colleague gets one escalation, and no one gets two."""
    two_member_services.move_to("out_of_specification")
    two_member_services.run_queue(TaskQueue.EVENT)
    [failed_mail] = list_mail_rows(kind="critical", member_id=build_member(PRACTICE).member_id)
    two_member_services.postbox.accepted.clear()
    for _ in range(3):
        reject = sns_sender.build_ses_event("Reject", failed_mail["outbox_id"], at=two_member_services.now, to="")
        send_mail_event(two_member_services, reject)
        two_member_services.now += MINUTE
        two_member_services.run_queue(TaskQueue.MAIL)
        failed_mail = (list_mail_rows(kind="escalation") or [failed_mail])[-1]

    recipients = [message.to for message, _ in two_member_services.postbox.accepted]
    assert recipients == [build_member(PRACTICE, n=n).email for n in (22, 21)]


def test_an_ordinary_notice_is_not_escalated(two_member_services):
    """It is in the dashboard, where its reader also sees that the email did not arrive."""
    [failed_mail, *_] = list_mail_rows(member_id=build_member(PRACTICE).member_id)

    send_mail_event(
        two_member_services,
        sns_sender.build_hard_bounce(
            failed_mail["outbox_id"], at=two_member_services.now, to=build_member(PRACTICE).email
        ),
    )

    assert list_mail_rows(kind="escalation") == []
