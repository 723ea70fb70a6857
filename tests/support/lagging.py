"""`pytest --stale 0.3`: the tests with that share of all weak reads as of a while ago.

Nothing may be decided on a weak read, so a test that fails then has found such a decision.
What is only looked up in an index may come late: a test of that waits for the index, and stands
here by name. Every other index is behind in it all the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from tests.support.stale import stale_reads


@dataclass(frozen=True, slots=True)
class Waiting:
    """Tests that wait for an index: some files, or single tests; and what they look up there."""

    why: str
    tests: frozenset[str]


_LISTS = Waiting(
    "Lists, counts, search and the week's digest show what there is. Whoever decides reads the "
    "referral itself.",
    frozenset(
        {
            "tests/routes/test_calendars.py",
            "tests/routes/test_deliveries.py",
            "tests/routes/test_event_types.py::test_a_gap_in_the_feeds_numbers_is_told_until_it_is_filled",
            "tests/routes/test_health_data.py::test_a_list_tells_only_who_it_is",
            "tests/routes/test_idempotency.py",
            "tests/routes/test_lists.py",
            "tests/routes/test_news.py",
            "tests/routes/test_referring.py::test_a_packet_that_lacks_all_is_told_all",
            "tests/routes/test_text.py::test_two_spellings_of_a_letter_are_one",
            "tests/services/test_alarms.py::test_the_list_calls_late_exactly_what_was_told_of",
            "tests/services/test_digest_hours.py",
            "tests/services/test_digests.py",
            "tests/services/test_lists.py",
            "tests/services/test_search.py",
        }
    ),
)
_VERIFYING = frozenset(
    {
        "tests/routes/test_long_histories.py::test_its_audit_trail_verifies",
        "tests/services/test_audits.py",
    }
)
WAITING: Mapping[str, Waiting] = {
    "by_practice": replace(_LISTS, tests=_LISTS.tests | _VERIFYING),
    "by_center": _LISTS,
    "by_received": Waiting(
        "The log of deliveries shows what there is; a delivery is replayed by its own row.",
        frozenset({"tests/routes/test_deliveries.py"}),
    ),
    "by_day": Waiting(
        "The audit is verified, and its hours are counted, when they are long over.", _VERIFYING
    ),
    "by_referral": Waiting(
        "The notices of a referral are a list; what was told is told by its own row.",
        frozenset(
            {
                "tests/routes/test_planned_alarms.py::test_what_was_told_stands_as_told_and_the_rest_is_still_ahead",
                "tests/routes/test_referral_notices.py",
                "tests/services/test_alarms_ahead.py::test_the_words_and_the_time_are_those_of_what_is_told_then",
            }
        ),
    ),
    "due": Waiting(
        "A job does later what its index lists later, and claims each row by itself.",
        frozenset(
            {
                "tests/routes/test_deliveries.py",
                "tests/routes/test_mail_events.py",
                "tests/routes/test_members.py::test_whoever_is_invited_a_moment_before_an_event_is_told",
                "tests/services/test_mail_events.py",
                "tests/services/test_mail_lives.py",
                "tests/services/test_mail_timing.py",
                "tests/services/test_mailing.py",
                "tests/routes/test_main_line.py::test_the_notice_of_day_7_is_mailed_once",
                "tests/routes/test_notices.py",
                "tests/routes/test_planned_alarms.py::test_what_was_told_stands_as_told_and_the_rest_is_still_ahead",
                "tests/routes/test_referral_notices.py",
                "tests/routes/test_webhooks_waiting.py::test_a_delivery_may_overtake_the_referral_itself",
                "tests/services/test_alarms.py",
                "tests/services/test_alarms_ahead.py::test_the_words_and_the_time_are_those_of_what_is_told_then",
                "tests/services/test_alarms_ahead.py::test_what_was_told_is_not_ahead_any_more",
                "tests/routes/test_windows.py",
                "tests/services/test_duties.py",
                "tests/services/test_digest_hours.py",
                "tests/services/test_digests.py",
                "tests/services/test_gathering.py",
                "tests/services/test_jobs.py::test_the_relay_counts_what_is_parked",
                "tests/services/test_journey.py::test_a_dose_of_any_parts_leads_to_monitoring",
                "tests/services/test_parked.py",
                "tests/services/test_plan_changes.py",
                "tests/services/test_planned.py",
                "tests/services/test_poison.py",
                "tests/services/test_replanning.py",
                "tests/services/test_runs.py",
                "tests/services/test_strangers.py::test_what_came_before_the_referral_applies_with_the_relay",
                "tests/services/test_stream.py",
            }
        ),
    ),
}
"""By the index that is waited for."""

_TOLD = "weak reads"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The share of stale reads, and which of them are stale."""
    group = parser.getgroup("stale", "weak reads that are stale")
    group.addoption("--stale", type=float, default=0.0, help="the share of weak reads")
    group.addoption("--stale-seed", type=int, default=1, help="which of them are stale")
    group.addoption("--stale-all", action="store_true", help="as if no read were strong")


@pytest.fixture(autouse=True)
def weak_reads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Weak reads as they may be on AWS, where that is asked for."""
    asked, test = request.config.option, request.node
    if not asked.stale:
        yield
        return
    with stale_reads(
        asked.stale,
        seed=f"{asked.stale_seed} {test.nodeid}",
        caught_up=waited_for(test.nodeid),
        even_strong=asked.stale_all,
    ) as reads:
        yield
    test.user_properties.append((_TOLD, (reads.weak, reads.stale)))


def waited_for(nodeid: str) -> frozenset[str]:
    """The indexes that a test waits for."""
    name = nodeid.partition("[")[0]
    file = name.partition("::")[0]
    return frozenset(index for index, waiting in WAITING.items() if waiting.tests & {name, file})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how often a stale answer was given: a run without any shows nothing."""
    told = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == _TOLD and report.when == "teardown"
    ]
    if terminalreporter.config.option.stale:
        weak, stale = (sum(each) for each in zip((0, 0), *told, strict=True))
        terminalreporter.write_line(f"{stale} of {weak} weak reads were stale")
