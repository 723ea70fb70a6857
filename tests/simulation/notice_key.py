"""How a notice of the simulated year is named."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class NoticeKey:
    """A notice: a rule and its day, or an event and when it became known."""

    rule: str
    day: date | datetime
