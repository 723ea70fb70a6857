"""No stage and no event type silently lacks a turnaround limit or a notice.

Each one is listed in the rules, or in an explicit set of those without a rule.
"""

import pytest

from chalicelib.domain.notices.notice_rules import EVENT_RULES, SILENT_EVENT_TYPES, SILENT_STAGES, STAGE_RULES
from chalicelib.domain.referrals.events import EventType
from chalicelib.domain.referrals.stages import Stage
from chalicelib.domain.referrals.turnaround import NO_LIMIT, STAGES_WITH_OWN_DATE, TURNAROUND_LIMITS

TURNAROUND = "chalicelib/domain/referrals/turnaround.py"
NOTICE_RULES = "chalicelib/domain/notices/notice_rules.py"

CHECKS = {
    "turnaround limit of a stage": (
        TURNAROUND,
        Stage,
        {
            "TURNAROUND_LIMITS": TURNAROUND_LIMITS,
            "STAGES_WITH_OWN_DATE": STAGES_WITH_OWN_DATE,
            "NO_LIMIT": NO_LIMIT,
        },
    ),
    "notice of a stage": (NOTICE_RULES, Stage, {"STAGE_RULES": STAGE_RULES, "SILENT_STAGES": SILENT_STAGES}),
    "notice of an event type": (
        NOTICE_RULES,
        EventType,
        {"EVENT_RULES": EVENT_RULES, "SILENT_EVENT_TYPES": SILENT_EVENT_TYPES},
    ),
}


def explain_unlisted(members, module, tables):
    """Explain for each member that is not in exactly one table what to add, and where."""
    for member in members:
        found = [name for name, table in tables.items() if member in table]
        if not found:
            yield f"{member} has no rule: add it to {' or '.join(tables)} in {module}"
        if len(found) > 1:
            yield f"{member} is in {' and '.join(found)} in {module}: keep it in one of them"


@pytest.mark.parametrize(("module", "members", "tables"), CHECKS.values(), ids=CHECKS)
def test_every_member_has_a_rule_or_is_listed_as_having_none(module, members, tables):
    """In exactly one of the tables."""
    assert list(explain_unlisted(members, module, tables)) == []


@pytest.mark.parametrize(("module", "members", "tables"), CHECKS.values(), ids=CHECKS)
def test_a_new_member_without_a_rule_is_reported_with_what_to_add(module, members, tables):
    """As it would be after an engineer adds a stage or event type to the enum only."""
    (problem,) = explain_unlisted([*members, "bridging_therapy"], module, tables)

    assert problem.startswith("bridging_therapy has no rule: add it to ")
    assert module in problem
    assert all(name in problem for name in tables)
