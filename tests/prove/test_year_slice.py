"""Some weeks of the simulated year, small enough for every run of the tests."""

from datetime import timedelta

from tests.prove import year
from tests.prove.claims import LOCAL_CLOUD
from tests.prove.courses import BEGINS, DAY
from tests.prove.living import Part


def test_in_some_weeks_each_due_notice_is_told_and_mailed_once():
    """With jobs that come late, twice, and die."""
    some_weeks = Part(
        seed=3,
        referrals=2,
        engine=LOCAL_CLOUD,
        within=timedelta(days=2),
        ends=BEGINS + 40 * DAY,
        pace=0.2,
    )

    found = year.search(some_weeks)

    assert found.wrong == []
    assert min(found.notices, found.mails) > 20
    assert found.met > 5
