"""`referrals conformance`: developers of a center's system check that it sends updates correctly.

The commands need no running site. Slow imports are inside the command that needs them, as in `commands`.
"""
# ruff: noqa: PLC0415 see above

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from infra.cli import site
from infra.cli.common import NO_SITE_FOUND, PROBLEM_FOUND, USAGE_ERROR, AsJson, fail, print_json

if TYPE_CHECKING:
    from infra.conformance.checklist import ScenarioResult
    from infra.conformance.outcomes import Outcome
    from infra.conformance.player import Reply

conformance = typer.Typer(
    help="Check that a center's system sends updates correctly. Use fictional patients.", no_args_is_help=True
)

SUBMITTED_BEFORE = timedelta(days=180)
"""How long ago the kit's referrals were submitted, so that a sender can play a journey with its usual dates."""

SecretFile = Annotated[
    Path | None,
    typer.Option("--secret-file", help="File with the secret, whsec_… Default: the kit's own, in the data folder."),
]
TimeZone = Annotated[str, typer.Option("--time-zone", help="Time zone of the center.")]


@conformance.command()
def receive(
    *,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8010,
    center: Annotated[str, typer.Option(help="ID of the center in the address.")] = "ctr_conformance",
    referral: Annotated[
        list[str] | None, typer.Option(help="ID of a referral that counts as submitted, besides the kit's own.")
    ] = None,
    time_zone: TimeZone = "America/New_York",
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Receive what a center's staging system sends, and go through the checklist with its developer.

    It listens on this machine only. It ends when every scenario was seen, or with Ctrl-C. Exit code 1 if a scenario
    was not seen, or a delivery was wrong.
    """
    from infra.conformance.checklist import check_scenarios, list_unexpected_problems
    from infra.conformance.endpoint import ConformanceEndpoint
    from infra.conformance.receiver import ConformanceReceiver
    from infra.local.server import HttpServer, PortInUseError

    referrals = [*_list_referrals(), *(referral or [])]
    submitted_at = _read_clock() - SUBMITTED_BEFORE
    receiver = ConformanceReceiver(
        center_id=center,
        secrets=(_read_secret(secret_file),),
        time_zone=_require_time_zone(time_zone),
        find_submission=dict.fromkeys(referrals, submitted_at).get,
    )
    finished = threading.Event()
    show_next_step = _NextStepPrinter()

    def show_outcome(outcome: "Outcome") -> None:
        _print_outcome(outcome)
        results = check_scenarios(receiver.outcomes)
        show_next_step(results)
        if all(result.seen for result in results):
            finished.set()

    try:
        server = HttpServer(port)
    except PortInUseError:
        fail(f"Port {port} is in use. Stop the other program, or choose another --port.", USAGE_ERROR)
    endpoint = ConformanceEndpoint(receiver, _read_clock, show_outcome, _say)
    server.start(endpoint)
    with suppress(KeyboardInterrupt):
        _print_introduction(f"{server.url}{endpoint.path}", secret_file or _get_secret_path(), referrals)
        show_next_step(check_scenarios([]))
        finished.wait()
    server.stop()
    results, unexpected = check_scenarios(receiver.outcomes), list_unexpected_problems(receiver.outcomes)
    if as_json:
        scenarios = [{"scenario": r.scenario.key, "seen": r.seen, "gap": r.gap} for r in results]
        wrong = [{"webhook_id": each.webhook_id, "problems": each.problems} for each in unexpected]
        print_json({"scenarios": scenarios, "wrong_deliveries": wrong})
    else:
        _print_summary(results, unexpected)
    if unexpected or not all(result.seen for result in results):
        raise typer.Exit(PROBLEM_FOUND)


@conformance.command()
def play(
    url: Annotated[str, typer.Argument(help="Address of the webhook, such as http://127.0.0.1:8010/v1/webhooks/…")],
    *,
    referral: Annotated[
        str | None, typer.Option(help="ID of a submitted referral of a fictional patient. Default: the kit's first.")
    ] = None,
    time_zone: TimeZone = "America/New_York",
    secret_file: SecretFile = None,
    remote: Annotated[bool, typer.Option("--remote", help="Allow an https address of another machine.")] = False,
    as_json: AsJson = False,
) -> None:
    """Play a whole journey as signed deliveries, also wrong ones, and check each response.

    The journey ends with a death, so the referral cannot be used again. Exit code 1 if a response is wrong.
    """
    from infra.cli.site import NoSiteError
    from infra.conformance.player import JourneyPlayer

    _require_allowed(url, remote=remote)
    player = JourneyPlayer(
        referral_id=referral or _list_referrals()[0],
        secret=_read_secret(secret_file),
        time_zone=_require_time_zone(time_zone),
        post=lambda body, headers: _post(url, body, headers),
        read_clock=_read_clock,
        pause=time.sleep,
    )
    rows = []
    try:
        for result in player.play():
            rows.append({"step": result.step.title, "http_status": result.reply.status, "problem": result.problem})
            if not as_json:
                typer.echo(f"{'WRONG' if result.problem else 'ok':<6} {result.reply.status}  {result.step.title}")
                if result.problem:
                    typer.echo(f"           {result.problem}")
    except NoSiteError as error:
        fail(str(error), NO_SITE_FOUND)
    if as_json:
        print_json(rows)
    if any(row["problem"] for row in rows):
        raise typer.Exit(PROBLEM_FOUND)


@conformance.command()
def check(
    file: Annotated[Path, typer.Argument(help="Recorded deliveries: one JSON object with headers and body per line.")],
    *,
    time_zone: TimeZone = "America/New_York",
    secret_file: Annotated[
        Path | None, typer.Option("--secret-file", help="File with the secret. Default: signatures are not checked.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a file of recorded deliveries, and say what is wrong in which line.

    Exit code 1 if something is wrong.
    """
    from infra.conformance.recorded_feed import check_feed

    secrets = (_read_secret(secret_file),) if secret_file else ()
    try:
        with file.open("rb") as lines:
            report = check_feed(lines, secrets=secrets, time_zone=_require_time_zone(time_zone), now=_read_clock())
    except OSError:
        fail(f"Cannot read {file}.", USAGE_ERROR)
    if not report.lines:
        fail(f"{file} has no deliveries.", USAGE_ERROR)
    if as_json:
        print_json(
            {
                "lines": [asdict(line) for line in report.lines],
                "missing_updates": dict(report.missing_updates),
                "counts": dict(report.counts),
                "signatures_checked": bool(secrets),
            }
        )
    else:
        for line in report.lines:
            for text in line.problems:
                typer.echo(f"line {line.number}  WRONG  {text}")
            for text in line.notes:
                typer.echo(f"line {line.number}  note   {text}")
        for referral_id, numbers in report.missing_updates.items():
            typer.echo(f"{referral_id}  WRONG  Missing sequence numbers: {', '.join(map(str, numbers))}.")
        wrong = sum(bool(line.problems) for line in report.lines)
        results = ", ".join(f"{number} {result}" for result, number in report.counts.items())
        typer.echo(f"{len(report.lines)} deliveries: {results}. Lines with something wrong: {wrong}.")
        if not secrets:
            typer.echo("Signatures were not checked. Name the secret's file with --secret-file.")
    if report.has_problems:
        raise typer.Exit(PROBLEM_FOUND)


def _read_clock() -> datetime:
    return datetime.now(UTC)


def _list_referrals() -> Sequence[str]:
    from chalicelib.domain.platform.ids import derive_id

    return [derive_id("ref", "conformance", str(number)) for number in (1, 2, 3)]


def _get_secret_path() -> Path:
    return site.get_data_dir() / "conformance-secret"


def _read_secret(path: Path | None) -> bytes:
    from infra.conformance.secret_file import SecretFileError, read_or_create_secret, read_secret

    try:
        return read_secret(path) if path else read_or_create_secret(_get_secret_path())
    except SecretFileError as error:
        fail(str(error), USAGE_ERROR)


def _require_time_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fail("--time-zone is not known. Use a name such as America/Chicago.", USAGE_ERROR)


def _require_allowed(url: str, *, remote: bool) -> None:
    """Refuse an address of another machine, unless it was asked for. Only https may go there."""
    parts = urlsplit(url)
    is_here = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        fail("Give the whole address of the webhook, with http:// or https://.", USAGE_ERROR)
    if not is_here and not (remote and parts.scheme == "https"):
        fail("This is not this machine. Add --remote, and use https://.", USAGE_ERROR)


def _post(url: str, body: bytes, headers: dict[str, str]) -> "Reply":
    from infra.cli.sending import post_json
    from infra.conformance.player import Reply

    parts = urlsplit(url)
    response = post_json(url, body, headers, url=f"{parts.scheme}://{parts.netloc}")
    return Reply(response.status, response.answer, response.retry_after_s or 1)


def _say(text: str) -> None:
    """Print what goes on to standard error; standard output has the result."""
    typer.echo(text, err=True)


def _print_introduction(address: str, secret_path: Path, referrals: Sequence[str]) -> None:
    _say(f"Address    {address}")
    _say(f"Secret     in the file {secret_path}")
    for number, referral_id in enumerate(referrals, 1):
        _say(f"Referral {number} {referral_id}")
    _say("Point the webhook sender of your staging system at this address. Use fictional patients only.")


class _NextStepPrinter:
    """Prints what to send next, when it is another scenario than before."""

    def __init__(self) -> None:
        self._shown = ""

    def __call__(self, results: "Sequence[ScenarioResult]") -> None:
        """Print the first scenario that was not seen."""
        waiting = [(number, result) for number, result in enumerate(results, 1) if not result.seen]
        if not waiting or waiting[0][1].scenario.key == self._shown:
            return
        number, result = waiting[0]
        self._shown = result.scenario.key
        _say(f"\n{len(results) - len(waiting)} of {len(results)} seen. Next: {number}. {result.scenario.title}.")
        _say(f"  {result.scenario.instruction}")


def _print_outcome(outcome: "Outcome") -> None:
    event = outcome.event
    what = getattr(event, "stage", None) or (event.type if event else "not read")
    _say(f"\n{outcome.status} {outcome.verdict.value}  {what}  {outcome.referral_id}  {outcome.webhook_id}")
    for text in outcome.problems:
        _say(f"  WRONG  {text}")
    for text in (*outcome.notes, *(f"Now applied, after it had waited: {each}." for each in outcome.released)):
        _say(f"  note   {text}")


def _print_summary(results: "Sequence[ScenarioResult]", unexpected: "Sequence[Outcome]") -> None:
    for number, result in enumerate(results, 1):
        typer.echo(f"{number:>2}. {'seen' if result.seen else 'NOT SEEN':<9} {result.scenario.title}")
        if result.gap:
            typer.echo(f"              {result.gap}")
    for outcome in unexpected:
        typer.echo(f"WRONG  {outcome.webhook_id or 'a delivery'}: {' '.join(outcome.problems)}")
