"""Which notice is due on which day, or at once, and for which side, written a second time as data."""

from collections.abc import Mapping
from typing import NamedTuple

from tests.simulation.alert_oracle import BOTH, CENTER, PRACTICE


class OracleRule(NamedTuple):
    """One notice of the schedule."""

    line: str
    category: str
    sides: tuple[str, ...]


_WATCH, _OVERDUE = OracleRule("watch", "window", BOTH), OracleRule("overdue", "overdue", BOTH)
_VISIT = OracleRule("visits", "follow_up", (PRACTICE,))
_REPORTED = OracleRule("visits", "follow_up", BOTH)

SCHEDULE: Mapping[str, OracleRule] = {
    "window_opened": OracleRule("watch", "window", (CENTER,)),
    "first_day": OracleRule("check_in", "check_in", (PRACTICE,)),
    "daily_monitoring_ends": _WATCH,
    "label_minimum_ends": _WATCH,
    "second_part_due": OracleRule("dose", "window", BOTH),
    "driving_minimum_ends": OracleRule("driving", "window", BOTH),
    "handback_near": OracleRule("handback", "window", BOTH),
    "handback_target": OracleRule("handback", "window", BOTH),
    "handback_overdue_1": _OVERDUE,
    "handback_overdue_2": _OVERDUE,
    "handback_overdue_3": _OVERDUE,
    "handback_unacknowledged": OracleRule("acknowledgement", "overdue", BOTH),
    "visit_day_30": _VISIT,
    "visit_day_90": _VISIT,
    "visit_day_100": _REPORTED,
    "visit_day_180": _REPORTED,
    "visit_day_365": _REPORTED,
}

FROM_DAY_0 = {
    "window_opened": 0,
    "first_day": 1,
    "visit_day_30": 30,
    "visit_day_90": 90,
    "visit_day_100": 100,
    "visit_day_180": 180,
    "visit_day_365": 365,
}
OF_ONE_DOSE = {"daily_monitoring_ends": 7, "label_minimum_ends": 14}
OF_A_SPLIT_DOSE = {
    "second_part_due": 9,
    "daily_monitoring_ends": 14,
    "label_minimum_ends": 28,
    "driving_minimum_ends": 56,
}
OF_NO_PRODUCT = {"daily_monitoring_ends": 14, "label_minimum_ends": 28, "driving_minimum_ends": 56}
"""Days after the infusion by the labels of Breyanzi (FDA's notice of 2025-06-26) and Aucatzyl
(2024-11), as the catalog has them. All products without a split dose have the same ones. While no
product is named, the longest of all labels count."""

FROM_THE_END = {
    "handback_near": -7,
    "handback_target": 0,
    "handback_overdue_1": 1,
    "handback_overdue_2": 2,
    "handback_overdue_3": 3,
}
WINDOW = 28

JOURNEY, CRITICAL = "journey", "critical"
EVENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(("submitted", "handed_back"), (JOURNEY, (CENTER,))),
    **dict.fromkeys(
        (
            *("accepted", "consult_scheduled", "center_proceed"),
            *("apheresis_completed", "infused", "handback_ready", "extended"),
        ),
        (JOURNEY, (PRACTICE,)),
    ),
    **dict.fromkeys(("out_of_specification", "toxicity"), (CRITICAL, (PRACTICE,))),
    **dict.fromkeys(("hold_started", "hold_ended", "reopened", "corrected"), (JOURNEY, BOTH)),
    **dict.fromkeys(
        ("withdrawn", "declined", "not_proceeding", "transferred_care", "lost_to_follow_up"), (JOURNEY, BOTH)
    ),
    "deceased": (CRITICAL, BOTH),
    "death_corrected": (CRITICAL, BOTH),
}
"""Notices that are sent at once, with their category and side. An ending is for both sides."""

PLANNED = frozenset({"window", "overdue", "follow_up", "check_in"})
"""The categories of what was planned for a patient: not emailed after any ending."""
