"""The plan at work: what is told, what is left out and why; late, and twice at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.store.notices.leases import LEASE
from chalicelib.store.platform.transactions import Ledger
from tests.support import faults
from tests.support.desk import MINUTE, TO_CONDITIONED
from tests.support.factories import CENTER, PRACTICE, a_member
from tests.support.faults import Mode, injected
from tests.support.planning import THE_WINDOW, infuse, on_day, run, skipped, titles


@pytest.fixture
def infused(referred):
    """The desk after an infusion, when everything of day 0 was told."""
    return infuse(referred)


def test_a_whole_plan_fits_into_the_transaction_of_its_infusion(referred, monkeypatch):
    """With the 28 rows of a plan; DynamoDB takes 100 items. `docs/storage.md` has the figure."""
    referred.move_to(*TO_CONDITIONED)
    sizes = []
    commit = Ledger.commit

    def counted(ledger, *writes):
        sizes.append(len(writes))
        commit(ledger, *writes)

    monkeypatch.setattr(Ledger, "commit", counted)
    referred.move_to("infused")

    assert sizes == [35]


# --------------------------------------------------------------------------- when jobs run


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_window_is_told_once_however_often_the_job_runs(infused, times):
    """Each day one to three times, by functions that remember nothing."""
    for day in (1, 7, 8, 14, 21, 28):
        for n in range(times):
            infused.anew().work_off(Lane.PLAN, now=on_day(infused, day) + n * MINUTE)

    assert titles(infused) == THE_WINDOW


def test_a_day_without_a_run_is_caught_up_by_the_next(infused):
    """A run that is a day late says nothing of it."""
    for day in (2, 8, 15, 22, 29):
        infused.work_off(Lane.PLAN, now=on_day(infused, day))

    assert titles(infused)[:5] == THE_WINDOW


def test_a_run_that_is_two_days_late_says_so(infused):
    """The words say "today" of a day that is gone."""
    run(infused, until=6)
    infused.work_off(Lane.PLAN, now=on_day(infused, 9))

    assert titles(infused)[1:] == [f"{THE_WINDOW[1]} (was due on 2026-11-09)"]


def test_two_runs_at_once_tell_once(infused):
    """Whoever claims a task has it."""
    now = on_day(infused, 28)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(infused.anew().work_off, Lane.PLAN, now=now) for _ in range(2)]
        counts = [each.result() for each in runs]

    assert len(titles(infused)) == len(THE_WINDOW)
    assert sum(each["failed"] for each in counts) == 0


@pytest.mark.parametrize("mode", [Mode.CRASH_BEFORE, Mode.CRASH_AFTER])
def test_a_run_that_dies_as_it_skips_leaves_the_reason_all_the_same(infused, mode):
    """The next one finds it waiting, or done with."""
    infused.move_to("deceased")
    now = on_day(infused, 7)
    with injected(faults.nth("TransactWriteItems", 1, mode)), pytest.raises(faults.Crash):
        infused.anew().work_off(Lane.PLAN, now=now)
    infused.anew().work_off(Lane.PLAN, now=now + LEASE)

    assert set(skipped().values()) == {"closed"}
    assert titles(infused) == []


# ------------------------------------------------------------------------- nothing after


def test_nothing_is_told_after_a_death(infused):
    """To the fifteenth year; each row says why."""
    run(infused, until=8)
    told = titles(infused)
    infused.now = on_day(infused, 8)
    infused.move_to("deceased")

    infused.work_off(Lane.PLAN, now=on_day(infused, 16 * 365))

    assert titles(infused) == told
    assert set(skipped().values()) == {"closed"}


@pytest.mark.parametrize("ending", ["transferred_care", "lost_to_follow_up"])
def test_nothing_is_told_after_care_has_left(infused, ending):
    """Whoever has the patient now has other reminders."""
    run(infused, until=1)
    infused.now = on_day(infused, 1)
    infused.move_to("window_complete")
    infused.report("handed_back", member=a_member(PRACTICE), at=infused.now + MINUTE)
    infused.now += 2 * MINUTE
    infused.move_to(ending)

    infused.work_off(Lane.PLAN, now=on_day(infused, 16 * 365))

    assert titles(infused) == THE_WINDOW[:1]
    assert set(skipped().values()) == {"closed"}


def test_after_a_handback_only_the_visits_are_told(infused):
    """The window is over, and its rows say so."""
    run(infused, until=20)
    infused.now = on_day(infused, 20)
    infused.move_to("window_complete")
    infused.report("handed_back", member=a_member(PRACTICE), at=infused.now + MINUTE)

    for day in (21, 28, 30, 31, 90):
        infused.work_off(Lane.PLAN, now=on_day(infused, day))

    assert titles(infused)[3:] == ["Follow-up visit: day 30", "Follow-up visit: day 90"]
    assert set(skipped().values()) == {"handed_back"}


# ----------------------------------------------------------------------------- overdue


def test_three_days_without_a_handback_are_told_and_then_escalated(infused):
    """Both sides, and on the third day those who lead the center."""
    lead = replace(a_member(CENTER, n=7), roles=frozenset({Role.COORDINATOR, Role.ADMIN}))
    infused.stores.members.add(lead)
    run(infused, until=31)

    mine, theirs = titles(infused)[-4:], titles(infused, CENTER)[-3:]
    theirs_lead, _ = infused.stores.notices.page(lead.member_id, limit=1, start=None)

    assert [title.partition(":")[0] for title in mine if "overdue" in title] == [
        "The hand-back is overdue by 1 day",
        "The hand-back is overdue by 2 days",
        "The hand-back is overdue by 3 days",
    ]
    assert len(theirs) == 3
    assert theirs_lead[0].title == (
        "The hand-back is overdue by 3 days; the referring team waits: see that somebody answers"
    )


def test_a_package_that_waits_three_days_is_reminded_of_and_no_more_overdue(infused):
    """The practice is reminded, the center knows."""
    run(infused, until=28)
    infused.now = on_day(infused, 28)
    infused.move_to("window_complete", "handback_ready")
    for day in (29, 30, 31, 32):
        infused.work_off(Lane.PLAN, now=on_day(infused, day))

    assert titles(infused, rule="handback_unacknowledged") == [
        "The hand-back has waited 3 days to be acknowledged"
    ]
    assert titles(infused, CENTER, "handback_unacknowledged") == [
        "The practice has not acknowledged the hand-back for 3 days"
    ]
    assert skipped() == {f"handback_overdue_{n}": "satisfied" for n in (1, 2, 3)}
