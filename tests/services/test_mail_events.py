"""What becomes of mails: delivered, bounced, and who is told instead."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.errors import UnavailableError
from chalicelib.mail import TemplateError
from chalicelib.store.notices.leases import LEASE, TRIES
from chalicelib.store.notices.mail_status import lives
from chalicelib.store.notices.mails import Mails
from tests.support import faults, posting, shelves
from tests.support.desk import MINUTE, TO_CONDITIONED, Refusing
from tests.support.factories import PRACTICE, a_member
from tests.support.letters import MINE, happened, mails, shut_out, subjects


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 1, 0, 2, 0)])
def test_events_of_a_mail_may_come_in_any_order(desk, order):
    """A delivery that is heard of after the bounce does not undo it."""
    desk.refer()
    desk.work_off(Lane.EVENT)
    [row] = mails()
    at, mail_id = desk.now, row["outbox_id"]
    events = [
        posting.event("Send", mail_id, at=at, to=MINE.email),
        posting.event("Delivery", mail_id, at=at + MINUTE, to=MINE.email),
        posting.hard_bounce(mail_id, at=at + 2 * MINUTE, to=MINE.email),
    ]

    for n in order:
        happened(desk, events[n])

    assert lives(desk.stores.mails, [mail_id])[mail_id].state == "bounced"


def test_a_hard_bounce_ends_the_mail_to_that_address_and_no_other(desk):
    """Told three times. Another address of the same person is written to again."""
    desk.refer("ref_1", key="key-1")
    desk.work_off(Lane.EVENT)
    [row] = mails()
    for _ in range(3):
        happened(desk, posting.hard_bounce(row["outbox_id"], at=desk.now, to=MINE.email))
    desk.postbox.taken.clear()
    desk.refer("ref_2", key="key-2")
    suppressed = desk.work_off(Lane.EVENT)
    moved = replace(MINE, email="new.address@harbor.example", version=MINE.version + 1)
    desk.stores.ledger.commit(desk.stores.members.saving(moved))
    desk.refer("ref_3", key="key-3")

    desk.work_off(Lane.EVENT)

    assert (suppressed["mails"], suppressed["unsent"]) == (0, 1)
    assert desk.postbox.addressees == ["new.address@harbor.example"]
    assert len(shelves.rows("recipients")) == 1 + 3, "one mark, and three threads"
    assert "harbor.example" not in str(shelves.rows("recipients"))


def test_a_bounce_that_may_pass_ends_nothing(desk):
    """A full mailbox today."""
    desk.refer("ref_1", key="key-1")
    desk.work_off(Lane.EVENT)
    [row] = mails()

    full = posting.event(
        "Bounce", row["outbox_id"], at=desk.now, to=MINE.email, bounceType="Transient"
    )
    happened(desk, full)

    desk.refer("ref_2", key="key-2")
    assert desk.work_off(Lane.EVENT)["mails"] == 1


@pytest.fixture
def staffed(desk):
    """A practice with a second coordinator, and with one who is its administrator as well."""
    for n, roles in ((21, {Role.COORDINATOR}), (22, {Role.COORDINATOR, Role.ADMIN})):
        member = replace(a_member(PRACTICE, n=n), roles=frozenset(roles))
        desk.stores.members.add(member)
    desk.refer()
    desk.move_to(*TO_CONDITIONED[:7])
    desk.work_off(Lane.EVENT)
    desk.postbox.taken.clear()
    return desk


def test_a_critical_mail_that_bounces_is_told_to_a_colleague_once(staffed):
    """To the administrator first, however often the bounce is told."""
    practice = a_member(PRACTICE)
    staffed.move_to("out_of_specification")
    staffed.work_off(Lane.EVENT)
    [lost] = mails(kind="critical", member_id=practice.member_id)
    staffed.postbox.taken.clear()
    for _ in range(3):
        happened(staffed, posting.hard_bounce(lost["outbox_id"], at=staffed.now, to=practice.email))

    staffed.work_off(Lane.EVENT)

    assert staffed.postbox.addressees == [a_member(PRACTICE, n=22).email]
    assert subjects(staffed) == [
        "Blue Heron: a colleague could not be reached, CAR T Referral Dashboard"
    ]


def test_a_critical_notice_to_an_address_that_is_dead_is_told_to_a_colleague(staffed):
    """The address was known to be dead before; nothing is sent there."""
    practice = a_member(PRACTICE)
    [earlier, *_] = mails(member_id=practice.member_id)
    happened(staffed, posting.hard_bounce(earlier["outbox_id"], at=staffed.now, to=practice.email))
    staffed.move_to("out_of_specification")

    staffed.work_off(Lane.EVENT)

    told = {message.to: message.subject for message, _ in staffed.postbox.taken}
    assert practice.email not in told
    assert len(mails(kind="escalation", state="done")) == 1
    assert [row["why"] for row in mails(kind="critical", state="skipped")] == ["suppressed"]


def test_a_colleague_is_told_though_the_run_dies_as_it_gives_the_mail_up(staffed, monkeypatch):
    """The mail was marked as not sent, and nothing would ever have looked at it again."""
    practice = a_member(PRACTICE)
    [earlier, *_] = mails(member_id=practice.member_id)
    happened(staffed, posting.hard_bounce(earlier["outbox_id"], at=staffed.now, to=practice.email))
    staffed.move_to("out_of_specification")
    skip = Mails.skip

    def dying(*args, **kwargs):
        skip(*args, **kwargs)
        raise faults.Crash

    monkeypatch.setattr(Mails, "skip", dying)
    with pytest.raises(faults.Crash):
        staffed.work_off(Lane.EVENT)
    monkeypatch.setattr(Mails, "skip", skip)
    staffed.now += LEASE + MINUTE
    staffed.work_off(Lane.EVENT)

    assert len(mails(kind="escalation", state="done")) == 1


def test_a_colleague_is_told_what_somebody_is_not_told_who_left(staffed):
    """Shut out between the plan and the mail of something critical."""
    practice = a_member(PRACTICE)
    staffed.postbox = Refusing(refused="@", error=UnavailableError())
    staffed.move_to("out_of_specification")
    staffed.work_off(Lane.EVENT)
    shut_out(staffed, practice)
    staffed.postbox.refused = ""

    staffed.now += 60 * MINUTE
    staffed.work_off(Lane.EVENT)

    assert practice.email not in staffed.postbox.addressees
    assert len(mails(kind="escalation", state="done")) == 1


@pytest.mark.parametrize(
    ("error", "hours"), [(TemplateError("critical_notice"), 0), (KeyError("Ana Example"), 8)]
)
def test_a_colleague_is_told_of_a_critical_mail_that_is_parked(staffed, error, hours):
    """Its template is broken, or it failed a dozen times; a person has to mend that first."""
    practice = a_member(PRACTICE)
    staffed.postbox = Refusing(refused=practice.email, error=error)
    staffed.move_to("out_of_specification")
    for _ in range(1 + 4 * hours):
        staffed.work_off(Lane.EVENT)
        staffed.now += 15 * MINUTE

    [lost] = mails(kind="critical", member_id=practice.member_id)
    assert lost["state"] == "parked"
    assert len(mails(kind="escalation", state="done")) == 1


def test_a_colleague_is_told_of_a_critical_mail_that_took_a_dozen_runs_down(staffed):
    """None of them could tell anybody."""
    practice = a_member(PRACTICE)
    staffed.postbox = Refusing(refused=practice.email)
    staffed.move_to("out_of_specification")
    staffed.work_off(Lane.EVENT)
    [lost] = mails(kind="critical", member_id=practice.member_id)
    for _ in range(TRIES):
        staffed.now += LEASE
        [row] = staffed.stores.outbox.named([lost["outbox_id"]], lane=Lane.MAIL)
        staffed.stores.outbox.claim(row, now=staffed.now)
    staffed.now += LEASE
    staffed.work_off(Lane.MAIL)

    [lost] = mails(kind="critical", member_id=practice.member_id)
    assert lost["state"] == "parked"
    assert len(mails(kind="escalation", state="done")) == 1


def test_the_next_colleague_is_told_until_nobody_is_left(staffed):
    """No mail is taken: nobody is left out, and nobody is written to twice."""
    staffed.move_to("out_of_specification")
    staffed.work_off(Lane.EVENT)
    [lost] = mails(kind="critical", member_id=a_member(PRACTICE).member_id)
    staffed.postbox.taken.clear()
    for _ in range(3):
        refused = posting.event("Reject", lost["outbox_id"], at=staffed.now, to="")
        happened(staffed, refused)
        staffed.now += MINUTE
        staffed.work_off(Lane.MAIL)
        lost = (mails(kind="escalation") or [lost])[-1]

    told = [message.to for message, _ in staffed.postbox.taken]
    assert told == [a_member(PRACTICE, n=n).email for n in (22, 21)]


def test_nobody_is_told_of_a_colleague_over_an_ordinary_notice(staffed):
    """It stands in the dashboard, where its reader also sees that mail does not arrive."""
    [lost, *_] = mails(member_id=a_member(PRACTICE).member_id)

    happened(
        staffed,
        posting.hard_bounce(lost["outbox_id"], at=staffed.now, to=a_member(PRACTICE).email),
    )

    assert mails(kind="escalation") == []
