"""The scheduled work: who is told of what, once, late or twice over."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.stages import Stage
from tests.support import stores as store_tools
from tests.support.factories import CENTER, NOON, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.service_driver import LINK, MINUTE, STAGES_TO_LYMPHODEPLETION

DAY = timedelta(days=1)
BOTH = sorted([build_member(PRACTICE).email, build_member(CENTER).email])


@pytest.fixture
def infused_services(services):
    """A referral after its infusion, everything told that follows at once and on the first days."""
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION, "infused")
    services.run_queue(TaskQueue.EVENT)
    services.run_queue(TaskQueue.PLAN)
    # What was told second waits for the hour of the first to be over.
    services.run_queue(TaskQueue.EVENT, now=services.now + timedelta(hours=1))
    services.postbox.accepted.clear()
    return services


def told_to(tenant, driver):
    """The titles of a coordinator's notices, newest first."""
    notices, _ = driver.stores.notices.list_page(build_member(tenant).member_id, limit=100, start=None)
    return [notice.title for notice in notices]


def on_day(days):
    """A time on a later day, well after that day's start at the center."""
    return NOON + days * DAY


def test_a_submission_is_told_to_the_center(services):
    """To those who care for patients there; the practice knows, and an admin alone does not."""
    services.refer()

    counts = services.run_queue(TaskQueue.EVENT)

    assert services.postbox.list_recipients == [build_member(CENTER).email]
    assert (counts["done"], counts["mails"], counts["failed"]) == (1, 1, 0)


def test_a_mail_says_the_alias_and_nothing_else_of_the_patient(services):
    """No name, no stage, no product, no center."""
    services.refer()

    services.run_queue(TaskQueue.EVENT)
    ((message, tag),) = services.postbox.accepted

    text = f"{message.subject} {message.text} {message.html}".lower()
    assert "blue heron" in text
    assert LINK in text
    assert not [
        word
        for word in ("example,", "ana", "breyanzi", "lymphoma", "lbcl", "harbor", "submitted")
        if word in text.replace("blue heron", "").replace(LINK, "")
    ]
    assert tag == store_tools.list_mail_rows()[0]["outbox_id"]


def test_a_second_run_sends_nothing(infused_services):
    """Nor a third, nor one a week later."""
    day_7 = on_day(7)
    infused_services.run_queue(TaskQueue.PLAN, now=day_7)
    sent = list(infused_services.postbox.accepted)

    later = [infused_services.restart().run_queue(TaskQueue.PLAN, now=day_7 + n * MINUTE) for n in (0, 1, 600)]

    assert len(sent) == 2
    assert infused_services.postbox.accepted == sent
    assert [counts["mails"] for counts in later] == [0, 0, 0]


def test_each_planned_day_is_told_to_both_sides(infused_services):
    """Day 7, 14, 21 and 28: two mails each; nothing on the days between."""
    result = {}
    for day in range(29):
        before = len(infused_services.postbox.accepted)
        infused_services.run_queue(TaskQueue.PLAN, now=on_day(day))
        result[day] = (
            infused_services.postbox.list_recipients if len(infused_services.postbox.accepted) > before else []
        )
        infused_services.postbox.accepted.clear()

    assert {day: who for day, who in result.items() if who} == dict.fromkeys((7, 14, 21, 28), BOTH)


def test_a_late_run_catches_up(infused_services):
    """The job did not run for a month: all is told, nothing twice, and in one mail for each."""
    counts = infused_services.run_queue(TaskQueue.PLAN, now=on_day(29))

    assert counts["mails"] == 2
    assert infused_services.postbox.list_recipients == BOTH
    assert all("5 new notices" in message.subject for message, _ in infused_services.postbox.accepted)
    assert infused_services.run_queue(TaskQueue.PLAN, now=on_day(29) + MINUTE)["mails"] == 0


@pytest.mark.parametrize("hour", [0, 6, 12, 18, 23])
def test_any_time_of_a_local_day_tells_the_same(infused_services, hour):
    """Whenever in New York's day 7 the job runs, day 7 is told and day 14 is not."""
    starts = NOON.replace(month=11, day=9, hour=5)  # midnight in New York

    counts = infused_services.run_queue(TaskQueue.PLAN, now=starts + timedelta(hours=hour))

    assert counts["mails"] == 2


def test_a_minute_before_the_day_starts_nothing_is_told(infused_services):
    """23:59 in New York, already day 7 in UTC for five hours."""
    starts = NOON.replace(month=11, day=9, hour=5)

    assert infused_services.run_queue(TaskQueue.PLAN, now=starts - MINUTE)["mails"] == 0


def test_monitoring_is_opened_once(infused_services):
    """The day after, and the second run has nothing to do."""
    first = infused_services.run_queue(TaskQueue.PLAN, now=on_day(1))
    again = infused_services.run_queue(TaskQueue.PLAN, now=on_day(1))

    assert infused_services.get_referral().stage is Stage.MONITORING
    # The opening, and the check-in that nobody asked to be mailed of.
    assert (first["done"], first["mails"], again["done"]) == (2, 0, 0)
    opened = [e.event for e in infused_services.list_events() if e.event.stage is Stage.MONITORING]
    assert [(c.actor.value, c.recorded_at) for c in opened] == [("system", on_day(1))]


def test_a_rehearsal_of_a_later_day_does_not_outdate_what_the_center_reports(infused_services):
    """The opening is dated by the infusion, not by the run."""
    infused_services.run_queue(TaskQueue.PLAN, now=on_day(40))

    assert infused_services.deliver("window_complete", at=infused_services.now + MINUTE).status == "applied"


def test_monitoring_that_the_center_reported_is_not_opened_again(infused_services):
    """Skipped: it stands there already."""
    infused_services.move_to("monitoring")

    counts = infused_services.run_queue(TaskQueue.PLAN, now=on_day(1))

    assert counts["skipped"] == 1
    assert [e.event.stage.value for e in infused_services.list_events()].count("monitoring") == 1


def test_a_death_silences_the_plan(infused_services):
    """Told of itself at once, and of nothing planned ever after."""
    infused_services.move_to("deceased")
    infused_services.run_queue(TaskQueue.EVENT)
    assert infused_services.postbox.list_recipients == BOTH

    counts = infused_services.run_queue(TaskQueue.PLAN, now=on_day(16 * 365))

    assert counts == counts | {"mails": 0, "done": 0, "skipped": 28}
    assert len(infused_services.postbox.accepted) == 2


def test_a_handback_silences_what_is_left(infused_services):
    """The practice has its patient back on day 20: of what comes, only its own visit is told."""
    infused_services.run_queue(TaskQueue.PLAN, now=on_day(20))
    infused_services.postbox.accepted.clear()
    infused_services.move_to("window_complete")
    infused_services.report("handed_back", member=build_member(PRACTICE), at=infused_services.now + MINUTE)

    counts = infused_services.run_queue(TaskQueue.PLAN, now=on_day(32))

    assert (counts["done"], counts["mails"], counts["skipped"]) == (1, 1, 5)
    assert told_to(PRACTICE, infused_services)[0] == "Follow-up visit due: day 30 (was due December 2, 2026)"


def test_a_member_who_was_shut_out_gets_none(services):
    """People are looked up when the mail is sent, not when it was planned."""
    services.refer()
    member = build_member(CENTER)
    shut_out = replace(member, active=False, version=member.version + 1)
    services.stores.transactions.commit(services.stores.members.prepare_save(shut_out))

    counts = services.run_queue(TaskQueue.EVENT)

    assert services.postbox.accepted == []
    assert counts["done"] == 1


def test_a_member_who_came_since_gets_one(infused_services):
    """With today's address, of today's people."""
    newcomer = build_member(PRACTICE, n=2)
    infused_services.stores.members.add(newcomer)

    infused_services.run_queue(TaskQueue.PLAN, now=on_day(7))

    assert newcomer.email in infused_services.postbox.list_recipients


def test_a_member_who_moved_to_another_practice_gets_none(infused_services):
    """The notice belongs to the practice, not to the person."""
    member = build_member(PRACTICE)
    moved = replace(member, tenant_id=OTHER_PRACTICE.tenant_id, version=member.version + 1)
    infused_services.stores.transactions.commit(infused_services.stores.members.prepare_save(moved))

    infused_services.run_queue(TaskQueue.PLAN, now=on_day(7))

    assert infused_services.postbox.list_recipients == [build_member(CENTER).email]


def test_an_administrator_alone_is_told_of_no_patient(services):
    """Who manages people sees no patients."""
    services.refer()
    services.run_queue(TaskQueue.EVENT)

    assert build_member(CENTER, role=Role.ADMIN).email not in services.postbox.list_recipients


def test_what_is_told_stands_in_the_dashboard_too(infused_services):
    """A notice for each member, with the words of its rule and the alias."""
    infused_services.run_queue(TaskQueue.PLAN, now=on_day(21))

    notices, _ = infused_services.stores.notices.list_page(build_member(PRACTICE).member_id, limit=10, start=None)

    newest = notices[0]
    assert newest.title == "Return to your practice in 7 days: schedule the visit and labs"
    assert (newest.alias, newest.referral_id, newest.rule) == ("Blue Heron", "ref_1", "handback_near")
    assert notices == sorted(notices, key=lambda n: n.notice_id, reverse=True)


def test_a_window_that_opens_late_is_told_as_well(services):
    """The last part is learned of after monitoring began: its days are planned from it."""
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION)
    services.deliver("infused", at=services.now + MINUTE, part=1, of=2)
    services.deliver("monitoring", at=services.now + 3 * MINUTE)
    services.deliver("infused", at=services.now + 2 * MINUTE, part=2, of=2)
    services.run_queue(TaskQueue.EVENT)
    services.postbox.accepted.clear()

    counts = services.run_queue(TaskQueue.PLAN, now=on_day(7))

    window = services.get_referral().window
    assert window is not None
    assert window.infused_on == date(2026, 11, 2)
    # Both of day 7; the center of day 0 as well, in the same mail.
    assert counts["mails"] == 2
