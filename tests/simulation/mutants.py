"""The tests fail when the code that decides about security, order and coverage is wrong."""

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.known_mutants import KNOWN
from tests.simulation.mutation_processes import ROOT, MutationTrial, TrialOutcome, run_trials
from tests.simulation.section_protocol import TIME_LIMIT_FACTOR, Budget, Progress, SectionResult

MINUTES = 8

MIN_KILL_RATE = 0.9
"""The part of the mutants that must fail a test."""

TIME_LIMIT_S = 120
"""Longer than the test of any known mistake takes."""

TIMEOUT_MULTIPLIER = 4
"""How many times longer than without a mistake the tests of a mutant can take. Two run at once, so each takes longer.
mutmut's own limit is 15 times: many minutes for each mutant that runs in a circle."""

KILLED = frozenset({"killed", "timeout", "segfault"})
"""The words of mutmut for a mutant that failed a test."""


@dataclass(frozen=True, slots=True)
class Target:
    """Modules that keep one promise, their tests, and the part of their mutants that a full search tries."""

    tests: Mapping[str, Sequence[str]]
    share: float


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
    "tests/domain/referrals/test_replay_agreement.py",
    "tests/domain/referrals/test_frozen_histories.py",
    "tests/domain/referrals/test_stage_changes_actors.py",
    "tests/domain/referrals/test_event_path.py",
    "tests/domain/referrals/test_apply_event_second_reports.py",
    "tests/domain/referrals/test_allowed_reports.py",
    "tests/domain/referrals/test_missing_steps.py",
    "tests/services/referrals/test_report_event.py",
    "tests/services/referrals/test_report_event_by_people.py",
    "tests/services/referrals/test_report_event_parking.py",
    "tests/routes/referrals/test_endings.py",
    "tests/routes/referrals/test_information_requests.py",
    "tests/routes/referrals/test_late_steps.py",
    "tests/routes/referrals/test_referred_on.py",
    "tests/routes/referrals/test_report_events.py",
]
_REPLAY_MODULES = (
    *("apply_event", "corrections", "event_path", "history", "replay", "endings"),
    *("stage_changes", "status_events", "transitions"),
)
_ROUTES = [
    "tests/routes/platform/test_request.py",
    "tests/routes/platform/test_validation.py",
    "tests/routes/platform/test_parallel_reads.py",
    "tests/routes/ehr/test_cds_hooks_callers.py",
    "tests/routes/test_route_table.py",
    "tests/routes/webhooks/test_tolerant_deliveries.py",
]

_OUTBOX = [
    "tests/store/notices/test_outbox.py",
    "tests/store/notices/test_outbox_failed_tasks.py",
    "tests/services/notices/test_planned_tasks_replanning.py",
]

_OUTBOX_WORKER = [
    "tests/services/notices/test_outbox_worker.py",
    "tests/services/notices/test_outbox_worker_poison_tasks.py",
    "tests/services/notices/test_outbox_worker_runs.py",
    "tests/services/notices/test_outbox_worker_stream.py",
    "tests/services/notices/test_planned_tasks_replanning.py",
    "tests/services/notices/test_runs_at_once.py",
    "tests/services/notices/test_weekly_digest.py",
    "tests/routes/platform/test_newer_items.py",
]

TARGETS: Mapping[str, Target] = {
    "signature": Target(
        {
            "chalicelib/domain/webhooks/signature.py": ["tests/domain/webhooks/test_signature.py"],
        },
        share=1,
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
            "chalicelib/routes/platform/validation.py": _ROUTES,
        },
        share=0.3,
    ),
    "replay": Target(
        {f"chalicelib/domain/referrals/{name}.py": _REPLAY for name in _REPLAY_MODULES},
        share=0.1,
    ),
    "outbox": Target(
        {
            "chalicelib/store/notices/outbox.py": _OUTBOX,
            "chalicelib/store/notices/leases.py": _OUTBOX,
            "chalicelib/services/notices/outbox_worker.py": _OUTBOX_WORKER,
        },
        share=0.2,
    ),
}


WITHOUT_REJECTIONS = Target(
    {
        "chalicelib/domain/webhooks/signature.py": [
            "tests/domain/webhooks/test_signature.py::test_a_valid_signature_is_accepted"
        ]
    },
    share=1,
)
"""Tests that would not notice if every delivery were accepted."""


def simulate(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Make every known mistake, then a sample of all small ones; `--share 9` makes all of them."""
    yield _try_known_mistakes(progress)
    for name, target in TARGETS.items():
        yield _try_mutants(name, target, progress, budget)
    weak = _try_mutants("a suite without rejections", WITHOUT_REJECTIONS, progress, budget)
    yield SectionResult(
        claim="A suite without a test of a rejection is found to be too weak",
        tries=weak.tries,
        counterexamples=[] if len(weak.counterexamples) > 1 else [f"it is not: {weak.figures} {weak.counterexamples}"],
    )


def _try_known_mistakes(progress: Progress) -> SectionResult:
    """Each mistake fails its test, and all these tests pass without a mistake."""
    tests = list(dict.fromkeys(known.test for known in KNOWN))
    sources = {known.path: (ROOT / known.path).read_text("utf-8") for known in KNOWN}
    wrong = [
        MutationTrial([known.test], TIME_LIMIT_S, known.path, ast.parse(known.apply(sources[known.path])))
        for known in KNOWN
    ]
    without, *outcomes = _run_trials([MutationTrial(tests, 5 * TIME_LIMIT_S), *wrong], progress)
    return SectionResult(
        claim="Each known mistake fails the test that is named for it",
        tries=len(KNOWN),
        counterexamples=[
            *(["the tests do not pass without a mistake"] if without is not TrialOutcome.PASSED else []),
            *(
                f"{known.mistake}: {known.test} does not fail"
                for known, outcome in zip(KNOWN, outcomes, strict=True)
                if outcome is not TrialOutcome.FAILED
            ),
        ],
    )


def _run_trials(trials: Sequence[MutationTrial], progress: Progress) -> list[TrialOutcome]:
    outcomes = []
    for outcome in run_trials(trials):
        outcomes.append(outcome)
        progress(len(outcomes), len(trials), "known mistakes")
    return outcomes


def _try_mutants(name: str, target: Target, progress: Progress, budget: Budget) -> SectionResult:
    claim = f"At least {MIN_KILL_RATE:.0%} of the mutants of {name} fail a test"
    with tempfile.TemporaryDirectory() as folder:
        run = _run_mutmut(Path(folder), target, min(1, target.share * budget.share), budget.seed)
        statuses = _read_statuses(folder)
        if run.returncode or not statuses:
            return SectionResult(claim=claim, tries=1, counterexamples=[run.stdout[-2000:] + run.stderr[-2000:]])
        survivors = [_show(folder, mutant) for mutant, status in statuses.items() if status not in KILLED]
    progress(len(statuses), len(statuses), f"mutants of {name}")
    killed = len(statuses) - len(survivors)
    enough = killed >= MIN_KILL_RATE * len(statuses)
    return SectionResult(
        claim=claim,
        tries=len(statuses),
        counterexamples=[] if enough else survivors,
        figures="; ".join(
            [f"{killed / len(statuses):.0%}: {killed} of {len(statuses)}", *(survivors if enough else [])]
        ),
    )


def _run_mutmut(folder: Path, target: Target, share: float, seed: int) -> subprocess.CompletedProcess[str]:
    """Run mutmut in a folder of its own: it writes its copy of the code next to the code."""
    for name in ("app.py", "chalicelib", "infra", "tests"):
        (folder / name).symlink_to(ROOT / name)
    settings = {
        "source_paths": ["chalicelib"],
        "only_mutate": list(target.tests),
        "also_copy": ["app.py", "infra"],
        "timeout_multiplier": TIMEOUT_MULTIPLIER,
        "do_not_mutate_patterns": [r"\blog\."],
        "pytest_add_cli_args": ["-p", "no:randomly", "-p", "no:cacheprovider", "--hypothesis-seed=1"],
        "pytest_add_cli_args_test_selection": sorted({test for tests in target.tests.values() for test in tests}),
    }
    table = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (folder / "pyproject.toml").write_text(f"{project}\n[tool.mutmut]\n{table}", "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation.run_mutmut", str(share), str(seed)],
        cwd=folder,
        env=os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")},
        timeout=60 * TIME_LIMIT_FACTOR * MINUTES,
        capture_output=True,
        text=True,
        check=False,
    )


def _read_statuses(folder: str) -> dict[str, str]:
    """The status of each mutant by its name."""
    lines = _ask_mutmut(folder, "results", "--all", "true").splitlines()
    return {name.strip(): status for name, _, status in (line.rpartition(": ") for line in lines) if name}


def _show(folder: str, mutant: str) -> str:
    """The changed lines of a mutant, on one line."""
    changed = [
        line
        for line in _ask_mutmut(folder, "show", mutant).splitlines()
        if line[:1] in "+-" and line[:3] not in {"---", "+++"}
    ]
    return f"{mutant.rpartition('__mutmut_')[0]}: {' '.join(changed)}"


def _ask_mutmut(folder: str, *command: str) -> str:
    return subprocess.run(
        [Path(sys.executable).with_name("mutmut"), *command], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
