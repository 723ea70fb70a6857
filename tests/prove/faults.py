"""Every fault of every call, every ordered pair of them, and seeded runs with more.

A read leaves nothing behind, so a pair with a fault on one is another case in disguise, and is
not played twice. Where the SDK asks again, the product goes on as if nothing had been: each
single fault on a read is played, and shows it. Where the function stops, it leaves what it
leaves when it stops right after the write before, or right before the next one, and both are
among the pairs; in a run that writes nothing, it leaves what no run leaves.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.prove.claims import Budget, Progress, Result
from tests.prove.every_flow import FLOWS
from tests.prove.flows import Intake, Scene
from tests.prove.scenarios import Faults, Played, Theater
from tests.prove.spread import spread
from tests.prove.world import World, open_world
from tests.support.desk import Desk
from tests.support.faults import Mode
from tests.support.naive import naive_delivery

MINUTES = 6
PARTS = 8
SEEDS = 1_500
SEEDS_A_PART = 150

CLAIMS = {
    "singles": "After any single fault nothing is lost, doubled or left undone",
    "pairs": "So it is after any two, in one run, or one in the run and one in its repeat",
    "more": "So it is after three to six, anywhere in a run and its repeats",
}

_WRITES = frozenset({"PutItem", "SendEmail", "TransactWriteItems", "UpdateItem"})
_ANY = tuple(mode for mode in Mode if mode is not Mode.CONFLICT)
_STOPS = frozenset({Mode.CRASH_BEFORE, Mode.CRASH_AFTER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a search, for a process of its own.

    Attributes:
        kind: A key of `CLAIMS`, or `naive`.
        flow: Which flow; with more than two faults it is drawn.
        first: Which of the first faults of a pair it begins with, or which seed.
        tries: How many seeds.
    """

    kind: str
    engine: str
    flow: str = ""
    first: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What a part came to."""

    tries: int
    met: int
    wrong: Sequence[str]


class Naive(Intake):
    """A delivery that is handled as it must not be."""

    name = "naive"

    def act(self, scene: Scene) -> None:
        """Seen, then done."""
        scene.status = 200
        naive_delivery(Desk(scene.world.stores, now=scene.begins), scene.referral_id)

    def again(self, scene: Scene) -> Sequence[Callable[[], None]]:
        """The same again, and the relay."""
        return [lambda: self.act(scene), *super().again(scene)[1:]]


def prove(progress: Progress, budget: Budget) -> Iterator[Result]:
    """Search kind by kind."""
    [naive] = spread(search, [Part(kind="naive", engine=budget.engine)])
    for kind, parts in _parts(budget).items():
        found: list[Found] = []
        for part in spread(search, parts):
            found.append(part)
            progress(len(found), len(parts), f"parts of {kind}")
        wrong = [wrong for part in found for wrong in part.wrong]
        caught = f"; of a naive handler {len(naive.wrong)} of {naive.tries} are found out"
        yield Result(
            claim=CLAIMS[kind],
            tries=sum(part.tries for part in found),
            counterexamples=wrong if naive.wrong else [*wrong, "blind: a naive handler passes"],
            figures=f"{sum(part.met for part in found):,} faults{caught}",
        )


def _parts(budget: Budget) -> Mapping[str, Sequence[Part]]:
    a_part = Part(kind="singles", engine=budget.engine)
    singles = [replace(a_part, flow=flow) for flow in FLOWS]
    pairs = [
        replace(each, kind="pairs", first=first)
        for first in range(budget.of(PARTS))
        for each in singles
    ]
    seeds = budget.of(SEEDS, least=30)
    more = [
        replace(a_part, kind="more", first=budget.seed + n, tries=min(SEEDS_A_PART, seeds - n))
        for n in range(0, seeds, SEEDS_A_PART)
    ]
    return {"singles": singles, "pairs": pairs, "more": more}


def search(part: Part) -> Found:
    """Play all scenarios of a part, then look at what they left."""
    with open_world(part.engine) as world:
        theaters = _SEARCHES[part.kind](part, world)
        wrong = [each for t in theaters for each in t.wrong(all_met=part.kind != "more")]
        played = [each for t in theaters for each in t.played]
        return Found(len(played), sum(each.met for each in played), wrong)


def _singles(part: Part, world: World) -> Sequence[Theater]:
    """Each call of the run and of its repeat, each kind of fault, by new functions."""
    theater = Theater(world, Naive() if part.kind == "naive" else FLOWS[part.flow], cold=True)
    # Makes the data keys, which only the first of all has to.
    theater.play()
    run, repeat, *_ = theater.play().runs
    for number, mode in _each(run.operations, on_reads=_ANY):
        _look_at_reads(theater.play({number: mode}), 0, run.operations)
    for number, mode in _each(repeat.operations, on_reads=_ANY):
        _look_at_reads(theater.play({}, {number: mode}), 1, repeat.operations)
    return [theater]


def _look_at_reads(told: Played, run: int, operations: Sequence[str]) -> None:
    """See that a read that was asked again made no other difference: pairs rest on it."""
    [(number, mode)] = told.wanted[run].items()
    if operations[number - 1] in _WRITES or mode in _STOPS:
        return
    again = [] if mode is Mode.TWICE else [operations[number - 1]]
    if told.runs[run].operations != [*operations[:number], *again, *operations[number:]]:
        told.trouble.append("a read that was asked again changed the run")


def _pairs(part: Part, world: World) -> Sequence[Theater]:
    """Each first fault, and behind each every second one that can still come."""
    theater = Theater(world, FLOWS[part.flow], cold=False)
    theater.play()
    firsts = list(_each(theater.play().runs[0].operations))
    for first, mode in firsts[part.first :: PARTS]:
        for pair in pairs_behind(theater, first, mode):
            theater.play(*pair)
    return [theater]


def pairs_behind(theater: Theater, first: int, mode: Mode) -> Sequence[Faults]:
    """Every pair that begins with a fault. It is played alone, to see what comes behind it."""
    run, repeat, *_ = theater.play({first: mode}).runs
    in_one_run = [
        [{first: mode, second: other}] for second, other in _each(run.operations) if second > first
    ]
    in_the_repeat = [[{first: mode}, {second: other}] for second, other in _each(repeat.operations)]
    return [*in_one_run, *in_the_repeat]


def _more(part: Part, world: World) -> Sequence[Theater]:
    """Whatever the seed says; what a crash leaves no room for is not met."""
    theaters = [Theater(world, flow, cold=False) for flow in FLOWS.values()]
    for seed in range(part.first, part.first + part.tries):
        drawn = random.Random(seed)  # noqa: S311 to be repeated, not to be kept secret
        theater = drawn.choice(theaters)
        wanted: Sequence[dict[int, Mode]] = ({}, {}, {})
        for _ in range(drawn.randint(3, 6)):
            drawn.choice(wanted)[drawn.randint(1, 20)] = drawn.choice(list(Mode))
        theater.play(*wanted)
    return theaters


def _each(
    operations: Sequence[str], *, on_reads: Sequence[Mode] = ()
) -> Iterator[tuple[int, Mode]]:
    """Every fault of a run."""
    for number, operation in enumerate(operations, 1):
        for mode in _kinds(operation, on_reads=on_reads):
            yield number, mode


def _kinds(operation: str, *, on_reads: Sequence[Mode]) -> Sequence[Mode]:
    if operation not in _WRITES:
        return on_reads
    return tuple(Mode) if operation == "TransactWriteItems" else _ANY


_SEARCHES: Mapping[str, Callable[[Part, World], Sequence[Theater]]] = {
    "singles": _singles,
    "naive": _singles,
    "pairs": _pairs,
    "more": _more,
}
