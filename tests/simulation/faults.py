"""Every fault of every call, every ordered pair of them, and seeded runs with more.

A read leaves nothing behind, so a pair with a fault on a read equals another case, and is not
played twice. Where the SDK retries, the product continues as if nothing had happened: each single
fault on a read is played, and shows it. Where the function stops, it leaves what it leaves when
it stops right after the write before, or right before the next one, and both are among the
pairs; in a run that writes nothing, it leaves what no run leaves.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.simulation.every_flow import FLOWS
from tests.simulation.flows import ReceiveDelivery, Scene
from tests.simulation.proof_world import ProofWorld, open_proof_world
from tests.simulation.scenarios import Faults, ScenarioResult, ScenarioRunner
from tests.simulation.section_protocol import Budget, Progress, SectionResult
from tests.simulation.workers import run_parts
from tests.support.broken_variants import deliver_unsafely
from tests.support.faults import FaultMode
from tests.support.service_driver import ServiceDriver

MINUTES = 45
PARTS = 8
SEEDS = 1_500
SEEDS_A_PART = 150
LONG_OUTAGES = 0.3
"""The share of the runs with several faults that also have an outage of many calls in a row."""

CLAIMS = {
    "singles": "After any single fault nothing is lost, doubled or left undone",
    "pairs": "The same holds after any two faults, in one run, or one in the run and one in its repeat",
    "more": "The same holds after three to six faults, and after long outages, anywhere in a run and its repeats",
}

_WRITES = frozenset({"CopyObject", "DeleteObject", "PutItem", "SendEmail", "TransactWriteItems", "UpdateItem"})
_ANY = tuple(mode for mode in FaultMode if mode is not FaultMode.CONFLICT)
_NOT_RETRIED = frozenset(
    {FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER, FaultMode.EXPIRED_TOKEN, FaultMode.ACCESS_DENIED}
)
_PAIRED = frozenset(FaultMode) - {
    # For what comes after them, these equal a lost reply.
    FaultMode.TORN_REPLY,
    FaultMode.GARBLED_REPLY,
    FaultMode.EMPTY_REPLY,
    # And these equal each other.
    FaultMode.ACCESS_DENIED,
}
"""The faults that are paired with every other one. All are played alone, and in runs with more faults."""

_OUTAGES = (FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.EXPIRED_TOKEN, FaultMode.TORN_REPLY)
"""The faults that can last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPart:
    """A part of a search, for its own process.

    Attributes:
        kind: A key of `CLAIMS`, or `naive`.
        flow: The flow; with more than two faults it is drawn.
        first: The index of the first fault of a pair, or the seed.
        tries: How many seeds.
    """

    kind: str
    engine: str
    flow: str = ""
    first: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True)
class FaultPartResult:
    """The result of a part."""

    tries: int
    met: int
    wrong: Sequence[str]


class UnsafeIntake(ReceiveDelivery):
    """A delivery that is handled in a wrong way."""

    name = "naive"

    def act(self, scene: Scene) -> None:
        """Mark it as processed, then act."""
        scene.status = 200
        deliver_unsafely(ServiceDriver(scene.world.stores, now=scene.begins), scene.referral_id)

    def repeat(self, scene: Scene) -> Sequence[Callable[[], None]]:
        """Send it again, and run the relay."""
        return [lambda: self.act(scene), *super().repeat(scene)[1:]]


def simulate(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Search kind by kind."""
    [naive] = run_parts(search, [FaultPart(kind="naive", engine=budget.engine)])
    for kind, parts in _parts(budget).items():
        found: list[FaultPartResult] = []
        for part in run_parts(search, parts):
            found.append(part)
            progress(len(found), len(parts), f"parts of {kind}")
        wrong = [wrong for part in found for wrong in part.wrong]
        caught = f"; of a naive handler {len(naive.wrong)} of {naive.tries} are found"
        yield SectionResult(
            claim=CLAIMS[kind],
            tries=sum(part.tries for part in found),
            counterexamples=wrong if naive.wrong else [*wrong, "blind: a naive handler passes"],
            figures=f"{sum(part.met for part in found):,} faults{caught}",
        )


def _parts(budget: Budget) -> Mapping[str, Sequence[FaultPart]]:
    a_part = FaultPart(kind="singles", engine=budget.engine)
    singles = [replace(a_part, flow=flow) for flow in FLOWS]
    pairs = [replace(each, kind="pairs", first=first) for first in range(budget.scale(PARTS)) for each in singles]
    seeds = budget.scale(SEEDS, least=30)
    more = [
        replace(a_part, kind="more", first=budget.seed + n, tries=min(SEEDS_A_PART, seeds - n))
        for n in range(0, seeds, SEEDS_A_PART)
    ]
    return {"singles": singles, "pairs": pairs, "more": more}


def search(part: FaultPart) -> FaultPartResult:
    """Play all scenarios of a part, then check the tables."""
    with open_proof_world(part.engine) as world:
        theaters = _SEARCHES[part.kind](part, world)
        wrong = [each for t in theaters for each in t.find_violations(all_met=part.kind != "more")]
        played = [each for t in theaters for each in t.played]
        return FaultPartResult(len(played), sum(each.count_faults_hit for each in played), wrong)


def _singles(part: FaultPart, world: ProofWorld) -> Sequence[ScenarioRunner]:
    """Fault each call of the run and of its repeat, with each kind of fault, in new functions."""
    theater = ScenarioRunner(world, UnsafeIntake() if part.kind == "naive" else FLOWS[part.flow], cold=True)
    # Creates the data keys, which only the very first run has to.
    theater.play()
    run, repeat, *_ = theater.play().runs
    for number, mode in _each(run.operations, on_reads=_ANY):
        _look_at_reads(theater.play({number: mode}), 0, run.operations)
    for number, mode in _each(repeat.operations, on_reads=_ANY):
        _look_at_reads(theater.play({}, {number: mode}), 1, repeat.operations)
    return [theater]


def _look_at_reads(result: ScenarioResult, run: int, operations: Sequence[str]) -> None:
    """Check that a retried read made no other difference: the choice of pairs rests on it."""
    [(number, mode)] = result.wanted[run].items()
    if operations[number - 1] in _WRITES or mode in _NOT_RETRIED:
        return
    again = [] if mode is FaultMode.TWICE else [operations[number - 1]]
    if result.runs[run].operations != [*operations[:number], *again, *operations[number:]]:
        result.trouble.append("a read that was asked again changed the run")


def _pairs(part: FaultPart, world: ProofWorld) -> Sequence[ScenarioRunner]:
    """Play each first fault, and behind it each second one that can still come."""
    theater = ScenarioRunner(world, FLOWS[part.flow], cold=False)
    theater.play()
    firsts = list(_each(theater.play().runs[0].operations))
    for first, mode in firsts[part.first :: PARTS]:
        if mode in _PAIRED:
            for pair in list_fault_pairs(theater, first, mode):
                theater.play(*pair)
    return [theater]


def list_fault_pairs(theater: ScenarioRunner, first: int, mode: FaultMode) -> Sequence[Faults]:
    """Play every pair that begins with a fault. It is played alone first, to see what comes behind it."""
    run, repeat, *_ = theater.play({first: mode}).runs
    others = [(second, other) for second, other in _each(run.operations) if other in _PAIRED and second > first]
    in_one_run = [[{first: mode, second: other}] for second, other in others]
    repeated = [(second, other) for second, other in _each(repeat.operations) if other in _PAIRED]
    in_the_repeat = [[{first: mode}, {second: other}] for second, other in repeated]
    return [*in_one_run, *in_the_repeat]


def _more(part: FaultPart, world: ProofWorld) -> Sequence[ScenarioRunner]:
    """Play what the seed says; a fault that a crash leaves no room for is not met."""
    theaters = [ScenarioRunner(world, flow, cold=False) for flow in FLOWS.values()]
    for seed in range(part.first, part.first + part.tries):
        drawn = random.Random(seed)  # noqa: S311 to be repeated, not to be kept secret
        theater = drawn.choice(theaters)
        wanted: Sequence[dict[int, FaultMode]] = ({}, {}, {})
        for _ in range(drawn.randint(3, 6)):
            drawn.choice(wanted)[drawn.randint(1, 20)] = drawn.choice(list(FaultMode))
        if drawn.random() < LONG_OUTAGES:
            # Longer than the SDK tries one call, and as long as a table needs to scale.
            first, mode = drawn.randint(1, 20), drawn.choice(_OUTAGES)
            drawn.choice(wanted).update(dict.fromkeys(range(first, first + drawn.randint(4, 40)), mode))
        theater.play(*wanted)
    return theaters


def _each(operations: Sequence[str], *, on_reads: Sequence[FaultMode] = ()) -> Iterator[tuple[int, FaultMode]]:
    """Return every fault of a run."""
    for number, operation in enumerate(operations, 1):
        for mode in _kinds(operation, on_reads=on_reads):
            yield number, mode


def _kinds(operation: str, *, on_reads: Sequence[FaultMode]) -> Sequence[FaultMode]:
    if operation not in _WRITES:
        return on_reads
    return tuple(FaultMode) if operation == "TransactWriteItems" else _ANY


_SEARCHES: Mapping[str, Callable[[FaultPart, ProofWorld], Sequence[ScenarioRunner]]] = {
    "singles": _singles,
    "naive": _singles,
    "pairs": _pairs,
    "more": _more,
}
