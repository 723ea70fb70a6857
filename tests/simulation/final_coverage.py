"""Compares the coverage in the end with what was entered and answered."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from chalicelib.domain.coverage.checks import CheckState
from chalicelib.domain.coverage.moves import Party
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import Item
from tests.simulation.coverage_oracle import CHECK_FAILED, CLEARANCE_LOST, NOTIFIED
from tests.simulation.final_notices import ExpectedNotices, find_wrong_notices, find_wrong_reminders
from tests.simulation.known_events import DAY
from tests.simulation.notice_oracle import NoticeOracle
from tests.simulation.year_insurer import AcceptedCheck, YearInsurer, list_changes, read_coverage

_ENDS = frozenset({"no_answer", "replaced", "referral_closed"})
"""Why a check may end without an answer: nothing else is wrong with the payer or with the question."""

_GIVES_UP_AFTER = timedelta(hours=24)
_CLEARANCE_ENDS = "coverage_clearance_ends"


def find_wrong_coverage(
    stores: Stores, oracle: NoticeOracle, insurer: YearInsurer, tasks: Sequence[Item], notices: Sequence[Item]
) -> Iterator[str]:
    """Yield what is wrong with the coverage of a referral, its checks, and who was notified."""
    referral_id = oracle.visits.referral_id
    changes = list_changes(stores, oracle)
    entered = [each.move.value for each in changes if each.by in {Party.PRACTICE, Party.CENTER}]
    expected = Counter(insurer.moved.get(referral_id, ()))
    for name, times in Counter(entered).items():
        is_follow_up = name in {"authorization_required", "clearance_ended", "verification_requested"}
        if times != expected[name] and not (is_follow_up and times > expected[name]):
            yield f"{name} is in the history {times} times, and was entered {expected[name]} times"
    for name in expected.keys() - set(entered):
        yield f"{name} was accepted and is not in the history"
    failed = 0
    accepted = insurer.accepted.get(referral_id, [])
    for check in accepted:
        yield from _find_wrong_check(stores, oracle, insurer, check)
        found = stores.coverage_checks.get(referral_id, check.check_id, scope=oracle.course.practice.tenant_id)
        failed += bool(found and found.state is CheckState.FAILED and found.reason == "no_answer")
    # After an ending, what was still asked of the payer is recorded, and no one is notified.
    notified = [each for each in changes if not (each.filed_only or oracle.find_ending_before(each.at))]
    must = _expect_notices([each.move.value for each in notified], tasks, failed)
    yield from find_wrong_notices(oracle, insurer.staff, tasks, notices, must)
    yield from _find_wrong_clearance_reminders(stores, oracle, insurer, tasks, notices)


def _find_wrong_check(
    stores: Stores, oracle: NoticeOracle, insurer: YearInsurer, check: AcceptedCheck
) -> Iterator[str]:
    found = stores.coverage_checks.get(
        oracle.visits.referral_id, check.check_id, scope=oracle.course.practice.tenant_id
    )
    if found is None or found.ended_at is None:
        yield f"{check.check_id} of {check.at} never ended"
        return
    asked = [each for each in insurer.payer.asked if each.trace_id == check.trace_id]
    if found.state is CheckState.COMPLETED and not any(each.is_answered for each in asked):
        yield f"{check.check_id} is completed, and the payer did not answer"
    if found.state is CheckState.FAILED and found.reason not in _ENDS:
        yield f"{check.check_id} failed: {found.reason}"
    if found.reason == "no_answer" and found.ended_at - check.at < _GIVES_UP_AFTER:
        yield f"{check.check_id} was given up after {found.ended_at - check.at}"
    accepted = insurer.accepted[oracle.visits.referral_id]
    following = [each.at for each in accepted if each.at > check.at]
    for each in asked:
        if each.at > found.ended_at or (following and each.at > min(following)):
            yield f"the payer was asked at {each.at} for {check.check_id}, which had ended or was replaced"
        if oracle.find_ending_before(each.at):
            yield f"the payer was asked at {each.at}, after the referral had ended"


def _expect_notices(moves: Sequence[str], tasks: Sequence[Item], failed: int) -> Mapping[str, ExpectedNotices]:
    """Of each rule, how often it must have notified. The end of a clearance has one of two rules."""
    counted = Counter(moves)
    lost = sum(row["rule"] == CLEARANCE_LOST for row in tasks)
    counted["clearance_ended"] -= lost
    result = {f"coverage.{name}": ExpectedNotices(counted[name], sides) for name, sides in NOTIFIED.items() if sides}
    both = NOTIFIED["clearance_ended"]
    return result | {CLEARANCE_LOST: ExpectedNotices(lost, both), CHECK_FAILED: ExpectedNotices(failed, ("practice",))}


def _find_wrong_clearance_reminders(
    stores: Stores, oracle: NoticeOracle, insurer: YearInsurer, tasks: Sequence[Item], notices: Sequence[Item]
) -> Iterator[str]:
    """Check the reminders of the end of a clearance; of the other dates only that no one is notified twice."""
    rows = [row for row in tasks if row["rule"] == _CLEARANCE_ENDS]

    def is_wanted(row: Item, moment: datetime) -> bool:
        until = date.fromisoformat(row["due_on"]) + 7 * DAY
        is_current = read_coverage(stores, oracle, until=moment).cleared_until == until
        return is_current and not oracle.find_ending_before(moment)

    yield from find_wrong_reminders(oracle, insurer.staff, rows, notices, is_wanted)
    others = {row["outbox_id"] for row in tasks if row["rule"].startswith("coverage_") and row not in rows}
    times = Counter((each["outbox_id"], each["member_id"]) for each in notices if each["outbox_id"] in others)
    if max(times.values(), default=0) > 1:
        yield "a reminder of the coverage was sent twice to one person"
    planned = {row["due_on"] for row in rows}
    for change in list_changes(stores, oracle):
        if change.move.value != "cleared":
            continue
        on = date.fromisoformat(change.facts["until"]) - 7 * DAY
        if on > change.at.date() and on.isoformat() not in planned:
            yield f"no reminder is planned for {on}"
