"""Compares the notices of coverage and documents with what happened: each is sent, and once to each person."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import from_timestamp
from tests.simulation.notice_oracle import NoticeOracle
from tests.simulation.year_members import YearMembers

RULE_PREFIXES = ("coverage", "document.", "information.")
"""The rules of the notices that are compared here begin with these."""


@dataclass(frozen=True, slots=True)
class ExpectedNotices:
    """How often a rule must have notified, and which sides each time."""

    times: int
    sides: tuple[str, ...]


def is_coverage_or_document_rule(rule: str) -> bool:
    """Whether a notice is about coverage, a document or an information request."""
    return rule.startswith(RULE_PREFIXES)


def find_wrong_notices(
    oracle: NoticeOracle,
    staff: YearMembers,
    tasks: Sequence[Item],
    notices: Sequence[Item],
    expected: Mapping[str, ExpectedNotices],
) -> Iterator[str]:
    """Yield each task of a referral that is missing, unfinished, or did not notify each person once."""
    rows = [row for row in tasks if is_coverage_or_document_rule(row["rule"]) and row["rule"] in expected]
    counted = Counter(row["rule"] for row in rows)
    for rule, must in expected.items():
        if counted[rule] != must.times:
            yield f"{rule} has {counted[rule]} tasks, and must have {must.times}"
    received: dict[str, Counter[str]] = defaultdict(Counter)
    for notice in notices:
        received[notice["outbox_id"]][notice["member_id"]] += 1
    for row in rows:
        if row["state"] != "done":
            yield f"{row['rule']} is {row['state']} in the end"
        people = find_people(oracle, staff, expected[row["rule"]].sides)
        yield from _find_wrong_people(row["rule"], received[row["outbox_id"]], people)


def find_wrong_reminders(
    oracle: NoticeOracle,
    staff: YearMembers,
    rows: Sequence[Item],
    notices: Sequence[Item],
    is_wanted: Callable[[Item, datetime], bool],
) -> Iterator[str]:
    """Yield each reminder that was sent although its day did not count, or was skipped although it did.

    What changed in the same run, at the same moment, may come before the reminder or after it.
    """
    received: dict[str, list[Item]] = defaultdict(list)
    for notice in notices:
        received[notice["outbox_id"]].append(notice)
    people = find_people(oracle, staff, ("practice", "center"))
    for row in rows:
        found = received[row["outbox_id"]]
        for notice in found:
            if not any(is_wanted(row, at) for at in _list_sides(notice["created_at"])):
                yield f"{row['rule']} of {row['due_on']} was sent at {notice['created_at']}, when it did not count"
        if row["state"] == "done":
            yield from _find_wrong_people(row["rule"], Counter(each["member_id"] for each in found), people)
        elif row["state"] == "skipped" and all(is_wanted(row, at) for at in _list_sides(row["finished_at"])):
            yield f"{row['rule']} of {row['due_on']} was skipped at {row['finished_at']}, when it counted"


def _list_sides(at: str) -> Sequence[datetime]:
    """A moment without what happened in it, and with it."""
    moment = from_timestamp(at)
    return moment - timedelta(microseconds=1), moment


def find_people(oracle: NoticeOracle, staff: YearMembers, sides: Sequence[str]) -> set[str]:
    """The members of some sides of a referral."""
    tenants = {"practice": oracle.course.practice, "center": oracle.course.center}
    return {member.member_id for side in sides for member in staff.people[tenants[side].tenant_id]}


def _find_wrong_people(rule: str, times: Counter[str], people: set[str]) -> Iterator[str]:
    if times.keys() != people:
        yield f"{rule} was sent to {sorted(times)}, and must be sent to {sorted(people)}"
    if max(times.values(), default=0) > 1:
        yield f"{rule} was sent {max(times.values())} times to one person"
