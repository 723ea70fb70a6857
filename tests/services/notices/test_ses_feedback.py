"""What becomes of mails: delivered, bounced, and who is told instead."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.errors import UnavailableError
from chalicelib.mail import TemplateError
from chalicelib.store.notices.leases import LEASE_DURATION, MAX_ATTEMPTS
from chalicelib.store.notices.mail_status import load_mail_statuses
from chalicelib.store.notices.mails import Mails
from tests.support import faults
from tests.support import sns_sender as posting
from tests.support import stores as store_tools
from tests.support.factories import PRACTICE, build_member
from tests.support.mail_helpers import CENTER_MEMBER, disable_member, list_mail_rows, list_subjects, send_mail_event
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION, FailingMailer


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 1, 0, 2, 0)])
def test_events_of_a_mail_may_come_in_any_order(services, order):
    """A delivery that is heard of after the bounce does not undo it."""
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    [row] = list_mail_rows()
    at, mail_id = services.now, row["outbox_id"]
    events = [
        posting.build_ses_event("Send", mail_id, at=at, to=CENTER_MEMBER.email),
        posting.build_ses_event("Delivery", mail_id, at=at + MINUTE, to=CENTER_MEMBER.email),
        posting.build_hard_bounce(mail_id, at=at + 2 * MINUTE, to=CENTER_MEMBER.email),
    ]

    for n in order:
        send_mail_event(services, events[n])

    assert load_mail_statuses(services.stores.mails, [mail_id])[mail_id].state == "bounced"


def test_a_hard_bounce_ends_the_mail_to_that_address_and_no_other(services):
    """Told three times. Another address of the same person is written to again."""
    services.refer("ref_1", key="key-1")
    services.run_queue(TaskQueue.EVENT)
    [row] = list_mail_rows()
    for _ in range(3):
        send_mail_event(services, posting.build_hard_bounce(row["outbox_id"], at=services.now, to=CENTER_MEMBER.email))
    services.postbox.accepted.clear()
    services.refer("ref_2", key="key-2")
    suppressed = services.run_queue(TaskQueue.EVENT)
    moved = replace(CENTER_MEMBER, email="new.address@harbor.example", version=CENTER_MEMBER.version + 1)
    services.stores.transactions.commit(services.stores.members.prepare_save(moved))
    services.refer("ref_3", key="key-3")

    services.run_queue(TaskQueue.EVENT)

    assert (suppressed["mails"], suppressed["unsent"]) == (0, 1)
    assert services.postbox.list_recipients == ["new.address@harbor.example"]
    assert len(store_tools.list_rows("recipients")) == 1 + 3, "one mark, and three threads"
    assert "harbor.example" not in str(store_tools.list_rows("recipients"))


def test_a_bounce_that_may_pass_ends_nothing(services):
    """A full mailbox today."""
    services.refer("ref_1", key="key-1")
    services.run_queue(TaskQueue.EVENT)
    [row] = list_mail_rows()

    full = posting.build_ses_event(
        "Bounce", row["outbox_id"], at=services.now, to=CENTER_MEMBER.email, bounceType="Transient"
    )
    send_mail_event(services, full)

    services.refer("ref_2", key="key-2")
    assert services.run_queue(TaskQueue.EVENT)["mails"] == 1


@pytest.fixture
def two_member_services(services):
    """A practice with a second coordinator, and with one who is its administrator as well."""
    for n, roles in ((21, {Role.COORDINATOR}), (22, {Role.COORDINATOR, Role.ADMIN})):
        member = replace(build_member(PRACTICE, n=n), roles=frozenset(roles))
        services.stores.members.add(member)
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION[:7])
    services.run_queue(TaskQueue.EVENT)
    services.postbox.accepted.clear()
    return services


def test_a_critical_mail_that_bounces_is_told_to_a_colleague_once(two_member_services):
    """To the administrator first, however often the bounce is told."""
    practice = build_member(PRACTICE)
    two_member_services.move_to("out_of_specification")
    two_member_services.run_queue(TaskQueue.EVENT)
    [lost] = list_mail_rows(kind="critical", member_id=practice.member_id)
    two_member_services.postbox.accepted.clear()
    for _ in range(3):
        send_mail_event(
            two_member_services,
            posting.build_hard_bounce(lost["outbox_id"], at=two_member_services.now, to=practice.email),
        )

    two_member_services.run_queue(TaskQueue.EVENT)

    assert two_member_services.postbox.list_recipients == [build_member(PRACTICE, n=22).email]
    assert list_subjects(two_member_services) == ["Blue Heron: critical notice not delivered to a colleague"]


def test_a_critical_notice_to_an_address_that_is_dead_is_told_to_a_colleague(two_member_services):
    """The address was known to be dead before; nothing is sent there."""
    practice = build_member(PRACTICE)
    [earlier, *_] = list_mail_rows(member_id=practice.member_id)
    send_mail_event(
        two_member_services,
        posting.build_hard_bounce(earlier["outbox_id"], at=two_member_services.now, to=practice.email),
    )
    two_member_services.move_to("out_of_specification")

    two_member_services.run_queue(TaskQueue.EVENT)

    result = {message.to: message.subject for message, _ in two_member_services.postbox.accepted}
    assert practice.email not in result
    assert len(list_mail_rows(kind="escalation", state="done")) == 1
    assert [row["why"] for row in list_mail_rows(kind="critical", state="skipped")] == ["suppressed"]


def test_a_colleague_is_told_though_the_run_dies_as_it_gives_the_mail_up(two_member_services, monkeypatch):
    """The mail was marked as not sent, and nothing would ever have looked at it again."""
    practice = build_member(PRACTICE)
    [earlier, *_] = list_mail_rows(member_id=practice.member_id)
    send_mail_event(
        two_member_services,
        posting.build_hard_bounce(earlier["outbox_id"], at=two_member_services.now, to=practice.email),
    )
    two_member_services.move_to("out_of_specification")
    skip = Mails.mark_skipped

    def dying(*args, **kwargs):
        skip(*args, **kwargs)
        raise faults.SimulatedCrash

    monkeypatch.setattr(Mails, "mark_skipped", dying)
    with pytest.raises(faults.SimulatedCrash):
        two_member_services.run_queue(TaskQueue.EVENT)
    monkeypatch.setattr(Mails, "mark_skipped", skip)
    two_member_services.now += LEASE_DURATION + MINUTE
    two_member_services.run_queue(TaskQueue.EVENT)

    assert len(list_mail_rows(kind="escalation", state="done")) == 1


def test_a_colleague_is_told_what_somebody_is_not_told_who_left(two_member_services):
    """Shut out between the plan and the mail of something critical."""
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
def test_a_colleague_is_told_of_a_critical_mail_that_is_parked(two_member_services, error, hours):
    """Its template is broken, or it failed a dozen times; a person has to mend that first."""
    practice = build_member(PRACTICE)
    two_member_services.postbox = FailingMailer(refused=practice.email, error=error)
    two_member_services.move_to("out_of_specification")
    for _ in range(1 + 4 * hours):
        two_member_services.run_queue(TaskQueue.EVENT)
        two_member_services.now += 15 * MINUTE

    [lost] = list_mail_rows(kind="critical", member_id=practice.member_id)
    assert lost["state"] == "parked"
    assert len(list_mail_rows(kind="escalation", state="done")) == 1


def test_a_colleague_is_told_of_a_critical_mail_that_took_a_dozen_runs_down(two_member_services):
    """None of them could tell anybody."""
    practice = build_member(PRACTICE)
    two_member_services.postbox = FailingMailer(refused=practice.email)
    two_member_services.move_to("out_of_specification")
    two_member_services.run_queue(TaskQueue.EVENT)
    [lost] = list_mail_rows(kind="critical", member_id=practice.member_id)
    for _ in range(MAX_ATTEMPTS):
        two_member_services.now += LEASE_DURATION
        [row] = two_member_services.stores.outbox.list_unfinished([lost["outbox_id"]], queue=TaskQueue.MAIL)
        two_member_services.stores.outbox.claim(row, now=two_member_services.now)
    two_member_services.now += LEASE_DURATION
    two_member_services.run_queue(TaskQueue.MAIL)

    [lost] = list_mail_rows(kind="critical", member_id=practice.member_id)
    assert lost["state"] == "parked"
    assert len(list_mail_rows(kind="escalation", state="done")) == 1


def test_the_next_colleague_is_told_until_nobody_is_left(two_member_services):
    """No mail is taken: nobody is left out, and nobody is written to twice."""
    two_member_services.move_to("out_of_specification")
    two_member_services.run_queue(TaskQueue.EVENT)
    [lost] = list_mail_rows(kind="critical", member_id=build_member(PRACTICE).member_id)
    two_member_services.postbox.accepted.clear()
    for _ in range(3):
        refused = posting.build_ses_event("Reject", lost["outbox_id"], at=two_member_services.now, to="")
        send_mail_event(two_member_services, refused)
        two_member_services.now += MINUTE
        two_member_services.run_queue(TaskQueue.MAIL)
        lost = (list_mail_rows(kind="escalation") or [lost])[-1]

    result = [message.to for message, _ in two_member_services.postbox.accepted]
    assert result == [build_member(PRACTICE, n=n).email for n in (22, 21)]


def test_nobody_is_told_of_a_colleague_over_an_ordinary_notice(two_member_services):
    """It stands in the dashboard, where its reader also sees that mail does not arrive."""
    [lost, *_] = list_mail_rows(member_id=build_member(PRACTICE).member_id)

    send_mail_event(
        two_member_services,
        posting.build_hard_bounce(lost["outbox_id"], at=two_member_services.now, to=build_member(PRACTICE).email),
    )

    assert list_mail_rows(kind="escalation") == []
