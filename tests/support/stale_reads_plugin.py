"""`pytest --stale 0.3`: the tests with that share of all weak reads out of date.

No decision may rest on a weak read, so a test that fails then has found such a decision. What is
only looked up in an index may come late: a test of that waits for the index, and is listed here.
Every other index still lags in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from tests.support.stale_reads import make_reads_stale


@dataclass(frozen=True, slots=True)
class IndexWaits:
    """Tests that wait for an index: whole files, or single tests; and what they look up there."""

    why: str
    tests: frozenset[str]


_LISTS = IndexWaits(
    "Lists, counts, search and the week's digest show what there is. A decision reads the referral itself.",
    frozenset(
        {
            "tests/routes/consultation/test_one_fact.py",
            "tests/routes/coverage/test_moves.py",
            "tests/routes/eligibility/test_screen.py::test_a_check_stores_nothing",
            "tests/routes/handback/test_calendar_feeds.py",
            "tests/routes/identity/test_recovery.py",
            "tests/routes/handback/test_planned_calendar.py",
            "tests/routes/insights/test_changed_insights.py",
            "tests/routes/insights/test_insights.py",
            "tests/routes/operations/test_operations.py",
            "tests/routes/webhooks/test_connection.py",
            "tests/routes/webhooks/test_deliveries.py",
            "tests/routes/referrals/test_event_types.py::test_a_gap_in_the_sequence_is_shown_until_it_is_filled",
            "tests/routes/platform/test_aws_faults.py::test_a_response_that_is_no_answer_is_503",
            "tests/routes/platform/test_aws_faults.py::test_an_unreadable_response_is_not_an_empty_one",
            "tests/routes/platform/test_health_data.py::test_the_search_would_find_a_leak",
            "tests/routes/platform/test_newer_items.py",
            "tests/routes/platform/test_health_data.py::test_a_list_contains_only_what_identifies_the_patient",
            "tests/routes/platform/test_idempotency.py",
            "tests/routes/platform/test_parallel_reads.py::test_a_list_is_read_while_its_audit_row_is_written",
            "tests/routes/referrals/test_information_requests.py::test_an_open_request_is_the_practices_task",
            "tests/routes/referrals/test_lists.py",
            "tests/routes/referrals/test_messages.py::test_a_list_of_referrals_counts_unread_messages",
            "tests/routes/referrals/test_named_products.py::test_lists_show_the_product_that_counts",
            "tests/routes/referrals/test_partial_drafts.py::test_a_draft_without_a_name_is_in_the_list",
            "tests/routes/referrals/test_patient_search.py",
            "tests/routes/referrals/test_possible_duplicates.py",
            "tests/routes/referrals/test_exports.py",
            "tests/routes/referrals/test_routing_hints.py",
            "tests/routes/referrals/test_sorted_lists.py",
            "tests/routes/referrals/test_tolerant_input.py",
            "tests/routes/test_generated_client.py::test_the_client_submits_a_referral_and_lists_it",
            "tests/routes/referrals/test_unread.py",
            "tests/routes/referrals/test_submit.py::test_all_missing_items_of_a_packet_are_named_at_once",
            "tests/routes/platform/test_text.py::test_two_unicode_spellings_of_a_letter_are_one",
            "tests/services/notices/test_overdue_alerts.py::test_the_list_shows_as_overdue_exactly_what_alerts_were_sent_for",
            "tests/services/notices/test_weekly_digest_hours.py",
            "tests/services/notices/test_weekly_digest.py",
            "tests/services/referrals/test_search.py",
            "tests/services/referrals/test_search_by_name.py",
        }
    ),
)
_VERIFYING = frozenset(
    {
        "tests/routes/referrals/test_long_histories.py::test_a_long_audit_trail_verifies",
        "tests/services/audit/test_rotation.py",
        "tests/services/audit/test_trail.py",
    }
)
INDEX_WAITS: Mapping[str, IndexWaits] = {
    "by_practice": replace(_LISTS, tests=_LISTS.tests | _VERIFYING),
    "by_center": _LISTS,
    "by_received": IndexWaits(
        "The log of deliveries shows what there is; a delivery is replayed by its own row.",
        frozenset(
            {
                "tests/routes/operations/test_operations.py",
                "tests/routes/webhooks/test_connection.py",
                "tests/routes/webhooks/test_deliveries.py",
                "tests/routes/webhooks/test_receive.py::test_the_same_id_with_another_body_leaves_a_delivery_and_an_audit_row",
                "tests/routes/webhooks/test_tolerant_deliveries.py",
            }
        ),
    ),
    "by_day": IndexWaits("The audit is verified, and its hours are counted, when they are long over.", _VERIFYING),
    "by_organization": IndexWaits(
        "An organization's trail shows what was done.",
        frozenset(
            {
                "tests/routes/audit/test_trails.py",
                "tests/routes/webhooks/test_connection.py",
                "tests/services/audit/test_rotation.py",
            }
        ),
    ),
    "by_referral": IndexWaits(
        "The notices of a referral are a list; each sent notice has its own row.",
        frozenset(
            {
                "tests/routes/notices/test_planned_overdue_alerts.py::test_a_sent_level_is_listed_as_sent_and_the_rest_as_upcoming",
                "tests/routes/notices/test_notice_history.py",
                "tests/services/notices/test_overdue_alerts_upcoming.py::test_an_upcoming_alert_has_the_id_time_and_title_that_are_sent",
            }
        ),
    ),
    "due": IndexWaits(
        "A job does later what its index lists later, and claims each row by itself. All files that run a job.",
        frozenset(
            {
                "tests/routes/consultation/test_invitations.py",
                "tests/routes/coverage/test_checks.py",
                "tests/routes/coverage/test_moves.py",
                "tests/routes/documents/test_document_changes.py",
                "tests/routes/documents/test_document_faults.py",
                "tests/routes/documents/test_document_news.py",
                "tests/routes/documents/test_documents.py",
                "tests/routes/handback/test_product_not_named.py",
                "tests/routes/identity/test_members.py",
                "tests/routes/identity/test_recovery.py",
                "tests/routes/notices/test_notice_history.py",
                "tests/routes/notices/test_notice_links.py",
                "tests/routes/notices/test_notices.py",
                "tests/routes/notices/test_planned_overdue_alerts.py",
                "tests/routes/notices/test_ses_and_unsubscribe.py",
                "tests/routes/operations/test_operations.py",
                "tests/routes/platform/test_newer_items.py",
                "tests/routes/referrals/test_care_events.py",
                "tests/routes/referrals/test_consent_to_share.py",
                "tests/routes/referrals/test_discarded_drafts.py",
                "tests/routes/referrals/test_endings.py",
                "tests/routes/referrals/test_fact_changes.py",
                "tests/routes/referrals/test_information_requests.py",
                "tests/routes/referrals/test_main_path.py",
                "tests/routes/referrals/test_messages.py",
                "tests/routes/referrals/test_monitoring_window.py",
                "tests/routes/referrals/test_planned_dates.py",
                "tests/routes/webhooks/test_deliveries.py",
                "tests/routes/webhooks/test_receive_parked.py",
                "tests/services/notices/test_members_of_a_run.py",
                "tests/services/notices/test_morning_mail.py",
                "tests/services/notices/test_notify_after_a_death.py",
                "tests/services/notices/test_notify_timing.py",
                "tests/services/notices/test_outbox_worker.py",
                "tests/services/notices/test_outbox_worker_poison_tasks.py",
                "tests/services/notices/test_outbox_worker_runs.py",
                "tests/services/notices/test_outbox_worker_stream.py",
                "tests/services/notices/test_overdue_alerts.py",
                "tests/services/notices/test_overdue_alerts_upcoming.py",
                "tests/services/notices/test_planned_list_changes.py",
                "tests/services/notices/test_planned_tasks.py",
                "tests/services/notices/test_planned_tasks_replanning.py",
                "tests/services/notices/test_runs_at_once.py",
                "tests/services/notices/test_send_mail.py",
                "tests/services/notices/test_send_mail_merging.py",
                "tests/services/notices/test_send_mail_status.py",
                "tests/services/notices/test_ses_feedback.py",
                "tests/services/notices/test_weekly_digest.py",
                "tests/services/notices/test_weekly_digest_hours.py",
                "tests/services/platform/test_health_metrics.py",
                "tests/services/platform/test_heartbeats.py",
                "tests/services/referrals/test_parking_unknown_referrals.py",
                "tests/services/referrals/test_report_event.py",
                "tests/services/referrals/test_report_event_parking.py",
            }
        ),
    ),
}
"""By the index that the tests wait for."""

_NOTIFIED = "weak reads"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options: the share of stale reads, and which of them are stale."""
    group = parser.getgroup("stale", "weak reads that are stale")
    group.addoption("--stale", type=float, default=0.0, help="the share of weak reads")
    group.addoption("--stale-seed", type=int, default=1, help="which of them are stale")
    group.addoption("--stale-all", action="store_true", help="as if no read were strong")


@pytest.fixture(autouse=True)
def inject_stale_reads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make weak reads stale, as they may be on AWS, if the option asks for it."""
    options, test = request.config.option, request.node
    if not options.stale:
        yield
        return
    with make_reads_stale(
        options.stale,
        seed=f"{options.stale_seed} {test.nodeid}",
        caught_up=list_waited_indexes(test.nodeid),
        even_strong=options.stale_all,
    ) as reads:
        yield
    test.user_properties.append((_NOTIFIED, (reads.weak, reads.stale)))


def list_waited_indexes(nodeid: str) -> frozenset[str]:
    """Return the indexes that a test waits for."""
    name = nodeid.partition("[")[0]
    file = name.partition("::")[0]
    return frozenset(index for index, waiting in INDEX_WAITS.items() if waiting.tests & {name, file})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many reads were stale, because a run without any shows nothing."""
    result = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == _NOTIFIED and report.when == "teardown"
    ]
    if terminalreporter.config.option.stale:
        weak, stale = (sum(each) for each in zip((0, 0), *result, strict=True))
        terminalreporter.write_line(f"{stale} of {weak} weak reads were stale")
