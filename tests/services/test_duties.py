"""The scheduled work: who is told of what, once, late or twice over."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.referrals.stages import Stage
from tests.support import shelves
from tests.support.desk import LINK, MINUTE, TO_CONDITIONED
from tests.support.factories import CENTER, NOON, OTHER_PRACTICE, PRACTICE, a_member

DAY = timedelta(days=1)
BOTH = sorted([a_member(PRACTICE).email, a_member(CENTER).email])


@pytest.fixture
def infused(desk):
    """A referral after its infusion, everything told that follows at once and on the first days."""
    desk.refer()
    desk.move_to(*TO_CONDITIONED, "infused")
    desk.work_off(Lane.EVENT)
    desk.work_off(Lane.PLAN)
    # What was told second waits for the hour of the first to be over.
    desk.work_off(Lane.EVENT, now=desk.now + timedelta(hours=1))
    desk.postbox.taken.clear()
    return desk


def told_to(tenant, desk):
    """The titles of a coordinator's notices, newest first."""
    notices, _ = desk.stores.notices.page(a_member(tenant).member_id, limit=100, start=None)
    return [notice.title for notice in notices]


def on_day(days):
    """A time on a later day, well after that day's start at the center."""
    return NOON + days * DAY


def test_a_submission_is_told_to_the_center(desk):
    """To those who care for patients there; the practice knows, and an admin alone does not."""
    desk.refer()

    counts = desk.work_off(Lane.EVENT)

    assert desk.postbox.addressees == [a_member(CENTER).email]
    assert (counts["done"], counts["mails"], counts["failed"]) == (1, 1, 0)


def test_a_mail_says_the_alias_and_nothing_else_of_the_patient(desk):
    """No name, no stage, no product, no center."""
    desk.refer()

    desk.work_off(Lane.EVENT)
    ((message, tag),) = desk.postbox.taken

    text = f"{message.subject} {message.text} {message.html}".lower()
    assert "blue heron" in text
    assert LINK in text
    assert not [
        word
        for word in ("example,", "ana", "breyanzi", "lymphoma", "lbcl", "harbor", "submitted")
        if word in text.replace("blue heron", "").replace(LINK, "")
    ]
    assert tag == shelves.mails()[0]["outbox_id"]


def test_a_second_run_sends_nothing(infused):
    """Nor a third, nor one a week later."""
    day_7 = on_day(7)
    infused.work_off(Lane.PLAN, now=day_7)
    sent = list(infused.postbox.taken)

    later = [infused.anew().work_off(Lane.PLAN, now=day_7 + n * MINUTE) for n in (0, 1, 600)]

    assert len(sent) == 2
    assert infused.postbox.taken == sent
    assert [counts["mails"] for counts in later] == [0, 0, 0]


def test_each_planned_day_is_told_to_both_sides(infused):
    """Day 7, 14, 21 and 28: two mails each; nothing on the days between."""
    told = {}
    for day in range(29):
        before = len(infused.postbox.taken)
        infused.work_off(Lane.PLAN, now=on_day(day))
        told[day] = infused.postbox.addressees if len(infused.postbox.taken) > before else []
        infused.postbox.taken.clear()

    assert {day: who for day, who in told.items() if who} == dict.fromkeys((7, 14, 21, 28), BOTH)


def test_a_late_run_catches_up(infused):
    """The job did not run for a month: all is told, nothing twice, and in one mail for each."""
    counts = infused.work_off(Lane.PLAN, now=on_day(29))

    assert counts["mails"] == 2
    assert infused.postbox.addressees == BOTH
    assert all("5 new notices" in message.subject for message, _ in infused.postbox.taken)
    assert infused.work_off(Lane.PLAN, now=on_day(29) + MINUTE)["mails"] == 0


@pytest.mark.parametrize("hour", [0, 6, 12, 18, 23])
def test_any_time_of_a_local_day_tells_the_same(infused, hour):
    """Whenever in New York's day 7 the job runs, day 7 is told and day 14 is not."""
    starts = NOON.replace(month=11, day=9, hour=5)  # midnight in New York

    counts = infused.work_off(Lane.PLAN, now=starts + timedelta(hours=hour))

    assert counts["mails"] == 2


def test_a_minute_before_the_day_starts_nothing_is_told(infused):
    """23:59 in New York, already day 7 in UTC for five hours."""
    starts = NOON.replace(month=11, day=9, hour=5)

    assert infused.work_off(Lane.PLAN, now=starts - MINUTE)["mails"] == 0


def test_monitoring_is_opened_once(infused):
    """The day after, and the second run has nothing to do."""
    first = infused.work_off(Lane.PLAN, now=on_day(1))
    again = infused.work_off(Lane.PLAN, now=on_day(1))

    assert infused.referral().stage is Stage.MONITORING
    # The opening, and the check-in that nobody asked to be mailed of.
    assert (first["done"], first["mails"], again["done"]) == (2, 0, 0)
    opened = [e.event for e in infused.events() if e.event.stage is Stage.MONITORING]
    assert [(c.actor.value, c.recorded_at) for c in opened] == [("system", on_day(1))]


def test_a_rehearsal_of_a_later_day_does_not_outdate_what_the_center_reports(infused):
    """The opening is dated by the infusion, not by the run."""
    infused.work_off(Lane.PLAN, now=on_day(40))

    assert infused.deliver("window_complete", at=infused.now + MINUTE).status == "applied"


def test_monitoring_that_the_center_reported_is_not_opened_again(infused):
    """Skipped: it stands there already."""
    infused.move_to("monitoring")

    counts = infused.work_off(Lane.PLAN, now=on_day(1))

    assert counts["skipped"] == 1
    assert [e.event.stage.value for e in infused.events()].count("monitoring") == 1


def test_a_death_silences_the_plan(infused):
    """Told of itself at once, and of nothing planned ever after."""
    infused.move_to("deceased")
    infused.work_off(Lane.EVENT)
    assert infused.postbox.addressees == BOTH

    counts = infused.work_off(Lane.PLAN, now=on_day(16 * 365))

    assert counts == counts | {"mails": 0, "done": 0, "skipped": 28}
    assert len(infused.postbox.taken) == 2


def test_a_handback_silences_what_is_left(infused):
    """The practice has its patient back on day 20: of what comes, only its own visit is told."""
    infused.work_off(Lane.PLAN, now=on_day(20))
    infused.postbox.taken.clear()
    infused.move_to("window_complete")
    infused.report("handed_back", member=a_member(PRACTICE), at=infused.now + MINUTE)

    counts = infused.work_off(Lane.PLAN, now=on_day(32))

    assert (counts["done"], counts["mails"], counts["skipped"]) == (1, 1, 5)
    assert told_to(PRACTICE, infused)[0] == "Follow-up visit: day 30 (was due on 2026-12-02)"


def test_a_member_who_was_shut_out_gets_none(desk):
    """People are looked up when the mail is sent, not when it was planned."""
    desk.refer()
    member = a_member(CENTER)
    shut_out = replace(member, active=False, version=member.version + 1)
    desk.stores.ledger.commit(desk.stores.members.saving(shut_out))

    counts = desk.work_off(Lane.EVENT)

    assert desk.postbox.taken == []
    assert counts["done"] == 1


def test_a_member_who_came_since_gets_one(infused):
    """With today's address, of today's people."""
    newcomer = a_member(PRACTICE, n=2)
    infused.stores.members.add(newcomer)

    infused.work_off(Lane.PLAN, now=on_day(7))

    assert newcomer.email in infused.postbox.addressees


def test_a_member_who_moved_to_another_practice_gets_none(infused):
    """The notice belongs to the practice, not to the person."""
    member = a_member(PRACTICE)
    moved = replace(member, tenant_id=OTHER_PRACTICE.tenant_id, version=member.version + 1)
    infused.stores.ledger.commit(infused.stores.members.saving(moved))

    infused.work_off(Lane.PLAN, now=on_day(7))

    assert infused.postbox.addressees == [a_member(CENTER).email]


def test_an_administrator_alone_is_told_of_no_patient(desk):
    """Who manages people sees no patients."""
    desk.refer()
    desk.work_off(Lane.EVENT)

    assert a_member(CENTER, role=Role.ADMIN).email not in desk.postbox.addressees


def test_what_is_told_stands_in_the_dashboard_too(infused):
    """A notice for each member, with the words of its rule and the alias."""
    infused.work_off(Lane.PLAN, now=on_day(21))

    notices, _ = infused.stores.notices.page(a_member(PRACTICE).member_id, limit=10, start=None)

    newest = notices[0]
    assert newest.title == "Hand-back in 7 days: book the visit and the labs"
    assert (newest.alias, newest.referral_id, newest.rule) == (
        "Blue Heron",
        "ref_1",
        "handback_near",
    )
    assert notices == sorted(notices, key=lambda n: n.notice_id, reverse=True)


def test_a_window_that_opens_late_is_told_as_well(desk):
    """The last part is learned of after monitoring began: its days are planned from it."""
    desk.refer()
    desk.move_to(*TO_CONDITIONED)
    desk.deliver("infused", at=desk.now + MINUTE, part=1, of=2)
    desk.deliver("monitoring", at=desk.now + 3 * MINUTE)
    desk.deliver("infused", at=desk.now + 2 * MINUTE, part=2, of=2)
    desk.work_off(Lane.EVENT)
    desk.postbox.taken.clear()

    counts = desk.work_off(Lane.PLAN, now=on_day(7))

    window = desk.referral().window
    assert window is not None
    assert window.infused_on == date(2026, 11, 2)
    # Both of day 7; the center of day 0 as well, in the same mail.
    assert counts["mails"] == 2
