"""Some weeks of the simulated year, small enough for every run of the tests."""

from datetime import timedelta

import pytest

from tests.simulation import year
from tests.simulation.known_events import DAY, YEAR_START
from tests.simulation.section_protocol import LOCAL_CLOUD
from tests.simulation.year_runner import YearPart


def test_in_some_weeks_each_due_notice_is_sent_and_emailed_once():
    """With jobs that come late, twice, and die."""
    some_weeks = YearPart(
        seed=3, referrals=2, engine=LOCAL_CLOUD, within=timedelta(days=2), ends=YEAR_START + 40 * DAY, pace=0.2
    )

    found = year.search(some_weeks)

    assert found.wrong == []
    assert min(found.notices, found.mails) > 20
    assert found.met > 5


@pytest.mark.parametrize("mistake", year.NAIVE)
def test_each_mistake_that_the_year_must_find_can_still_be_made(mistake):
    """A renamed function is found here, and not after minutes of simulation."""
    with year.NAIVE[mistake]():
        pass
