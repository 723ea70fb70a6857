"""What all functions know about a payer: its counter of control numbers, and whether it responds.

Rows `payer#<payer id>` of the `allowances` table. The circuit breaker opens after five failures in a row. While
it is open, one question every two minutes may try whether the payer responds again: the conditional write
picks which.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import DynamoTable, Item
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

FAILURES_TO_OPEN = 5
PROBE_EVERY = timedelta(minutes=2)
MAX_CONTROL_NUMBER = 999_999_999
"""ISA13 has nine digits; after the last one, the counter begins again at 1. Source: X12 005010, element I12."""

_MAX_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class PayerStates:
    """Counts control numbers and failures of payers."""

    table: DynamoTable

    def take_control_number(self, payer_id: str) -> int:
        """Take the next control number of a payer. No number is given out twice in a row of 999,999,999.

        Raises:
            UnavailableError: other functions took numbers so fast that every attempt failed.
        """
        for _ in range(_MAX_ATTEMPTS):
            row = self._read(payer_id)
            last = row.get("control", 0)
            number = last + 1 if last < MAX_CONTROL_NUMBER else 1
            when = "control = :last" if "control" in row else "attribute_not_exists(control)"
            values = {"number": number} | ({"last": last} if "control" in row else {})
            if self.table.update(_build_key(payer_id), "SET control = :number", when=when, values=values):
                return number
        raise UnavailableError("busy")

    def find_pause(self, payer_id: str, *, now: datetime) -> datetime | None:
        """Find until when a payer must not be asked; None if it may be asked now.

        If the breaker is open and a probe is due, the first caller gets it and may ask.
        """
        row = self._read(payer_id)
        if row.get("failures", 0) < FAILURES_TO_OPEN:
            return None
        probe_at = from_timestamp(row["probe_at"])
        # A probe that is later than one pause from now was set by a wrong clock, and must not keep everyone waiting.
        if now < probe_at <= now + PROBE_EVERY:
            return probe_at
        next_probe = now + PROBE_EVERY
        is_mine = self.table.update(
            _build_key(payer_id),
            "SET probe_at = :next",
            when="probe_at = :read",
            values={"next": to_timestamp(next_probe), "read": row["probe_at"]},
        )
        return None if is_mine else next_probe

    def record_response(self, payer_id: str) -> None:
        """Record that a payer responded: the breaker closes."""
        if self._read(payer_id).get("failures", 0):
            when, values = "attribute_exists(subject)", {"none": 0}
            self.table.update(_build_key(payer_id), "SET failures = :none", when=when, values=values)

    def record_failure(self, payer_id: str, *, now: datetime) -> None:
        """Record that a payer did not respond. The fifth time in a row opens the breaker."""
        for _ in range(_MAX_ATTEMPTS):
            failures = self._read(payer_id).get("failures", 0)
            unchanged = "failures = :read" if failures else "attribute_not_exists(failures) OR failures = :read"
            values = {"more": failures + 1, "probe": to_timestamp(now + PROBE_EVERY), "read": failures}
            change = "SET failures = :more, probe_at = :probe"
            if self.table.update(_build_key(payer_id), change, when=unchanged, values=values):
                return

    def _read(self, payer_id: str) -> Item:
        return self.table.get(_build_key(payer_id)) or {}


def _build_key(payer_id: str) -> Item:
    return {"subject": f"payer#{payer_id}"}
