"""The tests notice when what decides about security and order is wrong."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.prove.claims import Budget, Progress, Result
from tests.prove.known_mutants import KNOWN
from tests.prove.mutating import mutants_of
from tests.prove.swaps import NotRehearsedError, quick_outcomes
from tests.prove.trials import ROOT, Outcome, Trial, thorough_outcomes

MINUTES = 8

WANTED = 0.9
"""The part of the mutants that the tests have to notice."""

SECONDS = 120
"""Longer than any of these tests; a mutant that never ends was noticed."""


@dataclass(frozen=True, slots=True)
class Target:
    """Modules that make one promise, their tests, and how many mutants of them are tried."""

    tests: Mapping[str, Sequence[str]]
    sample: int


_OF_THE_FOLD = (
    "test_decide", "test_overlay", "test_corrections", "test_infusions", "test_extensions",
    "test_feed_gaps", "test_order_of_arrival", "test_events", "test_stages",
    "test_edges_of_the_fold", "test_reasons", "test_refolding", "test_who_reports_what",
)  # fmt: skip
_FOLD = [f"tests/domain/{name}.py" for name in _OF_THE_FOLD]
_ROUTES = [f"tests/routes/test_{name}.py" for name in ("calls", "cds_callers", "route_table")]

_OF_OUTBOX = [
    "tests/store/test_outbox.py",
    "tests/store/test_outbox_words.py",
    "tests/store/test_outbox_parked.py",
    "tests/services/test_replanning.py",
]

TARGETS: Mapping[str, Target] = {
    "signature": Target(
        {
            "chalicelib/domain/webhooks/signature.py": [
                "tests/domain/test_signing.py",
                "tests/domain/test_signatures_compared.py",
            ]
        },
        sample=60,
    ),
    "authorization": Target(
        {
            "chalicelib/services/identity/access_tokens.py": [
                "tests/services/test_tokens.py",
                "tests/services/test_token_keys.py",
                "tests/services/test_token_figures.py",
            ],
            "chalicelib/domain/identity/members.py": [
                "tests/domain/test_members.py",
                "tests/domain/test_spellings.py",
            ],
            "chalicelib/routes/platform/request.py": _ROUTES,
        },
        sample=70,
    ),
    "fold": Target(
        {f"chalicelib/domain/{name}.py": _FOLD for name in ("decisions", "verdicts", "moves")},
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


def prove(progress: Progress, budget: Budget) -> Iterator[Result]:
    """Make every known mistake, and a sample of all small ones; the whole set with `--share 9`."""
    yield _known(progress)
    for name, target in TARGETS.items():
        yield _unnoticed(name, target, progress, budget)


def _known(progress: Progress) -> Result:
    """Each mistake fails its test, which passes without it."""
    trials = [
        Trial([known.test], SECONDS, known.path, ast.parse(known.applied(_source(known.path))))
        for known in KNOWN
    ]
    survivors, failures = _survivors(trials, progress, "known mistakes")
    return Result(
        claim="Each known mistake about security fails the test that is named for it",
        tries=len(KNOWN),
        counterexamples=[
            *failures,
            *(f"{KNOWN[each].mistake}: {KNOWN[each].test} does not fail" for each in survivors),
        ],
    )


def _unnoticed(name: str, target: Target, progress: Progress, budget: Budget) -> Result:
    every = [m for path in target.tests for m in mutants_of(path, _source(path))]
    chance = Random(budget.seed)  # noqa: S311 a seed makes the same sample again
    wanted = min(len(every), max(1, round(target.sample * budget.share)))
    tried = chance.sample(every, wanted)
    trials = [Trial(target.tests[each.path], SECONDS, each.path, each.tree) for each in tried]
    numbers, failures = _survivors(trials, progress, f"mutants of {name}")
    survivors = [tried[each] for each in numbers]
    noticed = 1 - len(survivors) / len(tried)
    enough = noticed >= WANTED
    return Result(
        claim=f"At least {WANTED:.0%} of the mutants of {name} fail a test",
        tries=len(tried),
        counterexamples=failures + ([] if enough else [str(each) for each in survivors]),
        figures=f"{noticed:.0%}: {len(tried) - len(survivors)} of {len(tried)}, of {len(every)}"
        + "".join(f"; {each}" for each in survivors if enough),
    )


def _survivors(
    trials: Sequence[Trial], progress: Progress, what: str
) -> tuple[Sequence[int], list[str]]:
    """The trials that no test noticed, by number; and tests that fail without any mutant.

    What is not noticed the quick way is tried from the import on, and so is each module without
    a mutant: a test that fails then would notice everything.
    """
    unknown: list[int] = []
    try:
        for done, (number, outcome) in enumerate(quick_outcomes(trials), start=1):
            if outcome is None:
                unknown.append(number)
            progress(done - len(unknown), len(trials), what)
    except NotRehearsedError as e:
        return (), [str(e)]
    alone = {(trial.path, tuple(trial.tests)): trial for trial in map(trials.__getitem__, unknown)}
    right = [replace(each, tree=ast.parse(_source(each.path))) for each in alone.values()]
    found = list(thorough_outcomes([*right, *(trials[number] for number in unknown)]))
    failures = [
        f"{trial.path}: a test {outcome.value} without a mutant"
        for trial, outcome in zip(right, found, strict=False)
        if outcome is not Outcome.PASSED
    ]
    later = zip(unknown, found[len(right) :], strict=True)
    return [number for number, outcome in later if outcome is not Outcome.FAILED], failures


def _source(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")
