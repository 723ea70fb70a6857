"""One scenario: a flow, the faults it meets, and what is wrong when everything is over."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.errors import UnavailableError
from chalicelib.store.notices.overdue_alerts import OVERDUE_ALERT
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp
from tests.simulation.flows import ROUND_DURATION, Flow, NoReplyError, Scene
from tests.simulation.proof_world import ProofWorld
from tests.simulation.single_requests import SingleRequest
from tests.support import faults
from tests.support.faults import CallLog, FaultMode
from tests.support.invariants import TableSnapshot

Faults = Sequence[Mapping[int, FaultMode]]
"""The fault in the run and in each round after it, by the number of the call."""


@dataclass
class ScenarioResult:
    """A scenario after all its rounds."""

    scene: Scene
    wanted: Faults
    runs: list[CallLog] = field(default_factory=list)
    ended: str = ""
    trouble: list[str] = field(default_factory=list)

    @property
    def count_faults_hit(self) -> int:
        """Return how many of the faults were met."""
        return sum(calls.count_faults for calls in self.runs)

    @property
    def count_allowed_copies(self) -> int:
        """Return how many faults came between the mail service's acceptance and our mark of it."""
        return sum(is_about_sending(calls.operations, n, calls.met) for calls in self.runs for n in calls.met)

    def __str__(self) -> str:
        """Return what repeats the scenario."""
        result = [
            f"run {k} call {n} {_named(self.runs, k, n)} {mode}"
            for k, faults_ in enumerate(self.wanted)
            for n, mode in faults_.items()
        ]
        return f"{self.scene.name}: {'; '.join(result) or 'no fault'}"


@dataclass
class ScenarioRunner:
    """Plays scenarios of one flow, one after the other, in a world that they share."""

    world: ProofWorld
    flow: Flow
    cold: bool
    played: list[ScenarioResult] = field(default_factory=list)

    def play(self, *wanted: Mapping[int, FaultMode]) -> ScenarioResult:
        """Play one: the run and the rounds under faults, then two rounds without."""
        number = len(self.played)
        self.world.go_back()
        # An alias has no number of four digits or more, which could be a record number.
        scene = Scene(self.world, f"{self.flow.name} {number // 1000} {number % 1000}")
        self.flow.prepare(scene)
        result = ScenarioResult(scene, wanted)
        self._run(result, [lambda: self.flow.act(scene)], wanted[0] if wanted else {})
        for faulty in (*wanted[1:], {}, {}):
            self.world.now += ROUND_DURATION
            self._run(result, self.flow.repeat(scene), faulty)
        result.ended = to_timestamp(self.world.now)
        self.played.append(result)
        return result

    def _run(
        self, result: ScenarioResult, functions: Sequence[Callable[[], None]], wanted: Mapping[int, FaultMode]
    ) -> None:
        with faults.inject_faults(_possible(wanted)) as calls:
            for function in functions:
                if self.cold:
                    self.world.start_over()
                try:
                    function()
                except (faults.SimulatedCrash, NoReplyError, UnavailableError):
                    pass
                except Exception as e:  # noqa: BLE001 a bug that a fault brings out is a finding
                    result.trouble.append(type(e).__name__)
        result.runs.append(calls)

    def find_violations(self, *, all_met: bool = True) -> list[str]:
        """Return each scenario after which something is lost, doubled or left undone."""
        tables, mails = TableSnapshot.read(self.world.stores), self.world.mails()
        found = []
        for result in self.played:
            faulty = [*result.trouble, *_find_wrong(result, self.flow, tables, mails)]
            if all_met and result.count_faults_hit != sum(len(each) for each in result.wanted):
                faulty.append("a fault was not met")
            if faulty:
                letters = tables.list_mails(result.scene.referral_id)
                found.append(f"{result}: {', '.join(faulty)}; {_evidence(result, letters, mails)}")
        return found


def _possible(wanted: Mapping[int, FaultMode]) -> faults.FaultPlan:
    """Plan faults by number; only a transaction can conflict with another one, so other calls are throttled."""

    def plan(number: int, operation: str) -> FaultMode | None:
        mode = wanted.get(number)
        can_conflict = operation == "TransactWriteItems"
        return FaultMode.THROTTLE if mode is FaultMode.CONFLICT and not can_conflict else mode

    return plan


def _find_wrong(result: ScenarioResult, flow: Flow, tables: TableSnapshot, mails: Counter[str]) -> Iterable[str]:
    if isinstance(flow, SingleRequest):
        return flow.find_wrong(result.scene, tables)
    return _wrong(result, flow, tables, mails)


def _wrong(result: ScenarioResult, flow: Flow, tables: TableSnapshot, mails: Counter[str]) -> list[str]:
    scene, wanted = result.scene, flow.wanted
    rid = scene.referral_id
    found = tables.find_violations(
        rid, wanted.stages, writes=wanted.writes, deliveries=wanted.deliveries, audited=wanted.audited
    )
    made = [drawn for drawn in scene.drawn if tables.list_rows_about("referrals", drawn)]
    rows = tables.list_rows_about("outbox", rid)
    clocks = [row for row in rows if row["rule"] == OVERDUE_ALERT]
    due = [row for row in rows if row not in clocks and row["planned_for"] <= result.ended]
    soon = to_timestamp(from_timestamp(result.ended) + ROUND_DURATION)
    notices = tables.list_rows_about("notices", rid)
    copies = {to: mails[f"{to} {scene.name}"] for to in wanted.mails}
    letters = tables.list_mails(rid)
    held = Counter(notice_id for row in letters for notice_id in row["notice_ids"])
    # What a fault delays until after the first email comes in an email of its own.
    most = len([row for row in letters if row["state"] == "done"]) + result.count_allowed_copies
    checks = {
        "made twice": len(made) <= 1,
        "not answered": scene.status < 300,
        # A stage change made before its task was marked leaves the task nothing to do.
        "outbox": all(row["state"] in {"done", "skipped"} for row in due),
        "clock": all(row["due_at"] > soon for row in clocks if "lane" in row),
        "notices": len(notices) == (wanted.notices or sum(wanted.mails.values())),
        "in one mail": held == Counter(row["notice_id"] for row in notices),
        "mark of a mail": all(row["state"] == "done" for row in due if row["rule"] == "mail"),
        "mail lost": all(copies[to] >= least for to, least in wanted.mails.items()),
        "mail copies": sum(copies.values()) <= most,
    }
    return found + [name for name, holds in checks.items() if not holds]


def is_about_sending(operations: Sequence[str], n: int, met: Mapping[int, FaultMode]) -> bool:
    """Whether call `n` sends an email, or is the first write after it, which marks it as sent."""
    if operations[n - 1] == "SendEmail":
        return True
    before = n - 1
    # Attempts of the same call that met a fault, or were retried.
    while before in met and operations[before - 1] == operations[n - 1]:
        before -= 1
    return before > 0 and operations[before - 1] == "SendEmail"


_TELLING = ("outbox_id", "state", "planned_for", "due_at", "message_id", "merged_into", "why")


def _evidence(result: ScenarioResult, letters: Sequence[Item], mails: Counter[str]) -> str:
    """Describe how it happened, for someone who cannot repeat it."""
    rows = [{name: str(row[name]) for name in _TELLING if name in row} for row in letters]
    calls = [" ".join(calls.operations) for calls in result.runs]
    return f"ended {result.ended}, mails {list(mails.items())[:20]}, their rows {rows}, calls {calls}"


def _named(runs: Sequence[CallLog], run: int, number: int) -> str:
    operations = runs[run].operations if run < len(runs) else []
    return operations[number - 1] if number <= len(operations) else "?"
