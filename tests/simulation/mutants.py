"""Checks that tests notice mistakes in code that decides about security and order."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.simulation.known_mutants import KNOWN
from tests.simulation.mutation_operators import list_mutants
from tests.simulation.mutation_processes import ROOT, MutationTrial, TrialOutcome, run_thorough
from tests.simulation.mutation_runner import BaselineFailedError, run_quick
from tests.simulation.section_protocol import Budget, Progress, SectionResult

MINUTES = 8

MIN_KILL_RATE = 0.9
"""The share of the mutants that the tests have to notice."""

TIME_LIMIT_S = 120
"""Longer than any of these tests; a mutant that never ends counts as noticed."""


@dataclass(frozen=True, slots=True)
class Target:
    """Modules that make one promise, their tests, and how many mutants of them are tried."""

    tests: Mapping[str, Sequence[str]]
    sample: int


_REPLAY = [
    "tests/domain/referrals/test_apply_event.py",
    "tests/domain/referrals/test_apply_event_status.py",
    "tests/domain/referrals/test_apply_event_corrections.py",
    "tests/domain/referrals/test_apply_event_infusions.py",
    "tests/domain/referrals/test_monitoring_window_extensions.py",
    "tests/domain/referrals/test_apply_event_sequence_gaps.py",
    "tests/domain/referrals/test_apply_event_arrival_order.py",
    "tests/domain/referrals/test_events.py",
    "tests/domain/referrals/test_stages.py",
    "tests/domain/referrals/test_reason_codes.py",
    "tests/domain/referrals/test_apply_event_replay.py",
    "tests/domain/referrals/test_stage_changes_actors.py",
]
_ROUTES = [
    "tests/routes/platform/test_request.py",
    "tests/routes/ehr/test_cds_hooks_callers.py",
    "tests/routes/test_route_table.py",
]

_OF_OUTBOX = [
    "tests/store/notices/test_outbox.py",
    "tests/store/notices/test_outbox_stored_names.py",
    "tests/store/notices/test_outbox_failed_tasks.py",
    "tests/services/notices/test_planned_tasks_replanning.py",
]

TARGETS: Mapping[str, Target] = {
    "signature": Target(
        {
            "chalicelib/domain/webhooks/signature.py": ["tests/domain/webhooks/test_signature.py"],
        },
        sample=60,
    ),
    "authorization": Target(
        {
            "chalicelib/services/identity/access_tokens.py": [
                "tests/services/identity/test_access_tokens.py",
                "tests/services/identity/test_access_tokens_keys.py",
                "tests/services/identity/test_access_tokens_limits.py",
            ],
            "chalicelib/domain/identity/members.py": [
                "tests/domain/identity/test_members.py",
            ],
            "chalicelib/routes/platform/request.py": _ROUTES,
        },
        sample=70,
    ),
    "replay": Target(
        {f"chalicelib/domain/referrals/{name}.py": _REPLAY for name in ("apply_event", "stage_changes", "transitions")},
        sample=100,
    ),
    "outbox": Target(
        {
            "chalicelib/store/notices/outbox.py": _OF_OUTBOX,
            "chalicelib/store/notices/leases.py": _OF_OUTBOX,
            "chalicelib/services/notices/outbox_worker.py": [
                f"tests/services/test_{name}.py"
                for name in ("duties", "runs", "stream", "poison", "replanning", "digests")
            ],
        },
        sample=50,
    ),
}


def simulate(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Make every known mistake, and a sample of all small ones; the whole set with `--share 9`."""
    yield _known(progress)
    for name, target in TARGETS.items():
        yield _unnoticed(name, target, progress, budget)


def _known(progress: Progress) -> SectionResult:
    """Check that each mistake fails its test, which passes without it."""
    trials = [
        MutationTrial([known.test], TIME_LIMIT_S, known.path, ast.parse(known.apply(_source(known.path))))
        for known in KNOWN
    ]
    survivors, failures = _survivors(trials, progress, "known mistakes")
    return SectionResult(
        claim="Each known mistake about security fails the test that is named for it",
        tries=len(KNOWN),
        counterexamples=[
            *failures,
            *(f"{KNOWN[each].mistake}: {KNOWN[each].test} does not fail" for each in survivors),
        ],
    )


def _unnoticed(name: str, target: Target, progress: Progress, budget: Budget) -> SectionResult:
    every = [m for path in target.tests for m in list_mutants(path, _source(path))]
    chance = Random(budget.seed)  # noqa: S311 a seed makes the same sample again
    wanted = min(len(every), max(1, round(target.sample * budget.share)))
    tried = chance.sample(every, wanted)
    trials = [MutationTrial(target.tests[each.path], TIME_LIMIT_S, each.path, each.tree) for each in tried]
    numbers, failures = _survivors(trials, progress, f"mutants of {name}")
    survivors = [tried[each] for each in numbers]
    noticed = 1 - len(survivors) / len(tried)
    enough = noticed >= MIN_KILL_RATE
    return SectionResult(
        claim=f"At least {MIN_KILL_RATE:.0%} of the mutants of {name} fail a test",
        tries=len(tried),
        counterexamples=failures + ([] if enough else [str(each) for each in survivors]),
        figures=f"{noticed:.0%}: {len(tried) - len(survivors)} of {len(tried)}, of {len(every)}"
        + "".join(f"; {each}" for each in survivors if enough),
    )


def _survivors(trials: Sequence[MutationTrial], progress: Progress, what: str) -> tuple[Sequence[int], list[str]]:
    """Return the trials that no test noticed, by number, and tests that fail without any mutant.

    What is not noticed the fast way is tried again from the import on, and so is each module
    without a mutant: a test that fails then would notice everything.
    """
    unknown: list[int] = []
    try:
        for done, (number, outcome) in enumerate(run_quick(trials), start=1):
            if outcome is None:
                unknown.append(number)
            progress(done - len(unknown), len(trials), what)
    except BaselineFailedError as e:
        return (), [str(e)]
    alone = {(trial.path, tuple(trial.tests)): trial for trial in map(trials.__getitem__, unknown)}
    right = [replace(each, tree=ast.parse(_source(each.path))) for each in alone.values()]
    found = list(run_thorough([*right, *(trials[number] for number in unknown)]))
    failures = [
        f"{trial.path}: a test {outcome.value} without a mutant"
        for trial, outcome in zip(right, found, strict=False)
        if outcome is not TrialOutcome.PASSED
    ]
    later = zip(unknown, found[len(right) :], strict=True)
    return [number for number, outcome in later if outcome is not TrialOutcome.FAILED], failures


def _source(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")
