"""The order in which everything starts; it stops the other way round."""

import contextlib
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from io import TextIOBase
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from chalice import Chalice

from infra.local import cloud, environment, stack
from infra.local.gateway import Gateway
from infra.local.mailbox import SentMailbox
from infra.local.schedules import ScheduleRunner
from infra.local.server import HttpServer
from infra.local.streams import StreamRunner

if TYPE_CHECKING:
    from infra.local.reports import MailEventReporter

MAIL_FROM = "notices@referrals.example"
READY_TIMEOUT_S = 30.0


class CannotRunError(Exception):
    """Why it cannot run. The text is for a person."""


def run(data_dir: Path, port: int) -> NoReturn:
    """Run everything until interrupted.

    Raises:
        CannotRunError: a part of it did not get ready, or ended by itself.
        KeyboardInterrupt: it was told to stop, and everything has stopped and is saved.
    """
    server = HttpServer(port)
    with contextlib.ExitStack() as stops:
        log = stops.enter_context((data_dir / "product.log").open("a", buffering=1))
        local_cloud = stops.enter_context(cloud.run_cloud(data_dir))
        settings = environment.build_product_environment(local_cloud.endpoint)
        environment.apply_environment(settings)
        settings |= stack.deploy(local_cloud.endpoint, public_url=server.url, mail_from=MAIL_FROM)
        settings |= _configure_simulated_ehr(data_dir) | _configure_mail_topic()
        environment.apply_environment(settings)
        app = _import_product(log)
        _seed()
        streams = StreamRunner(app, local_cloud.endpoint, settings["TABLE_PREFIX"])
        stops.callback(streams.stop)
        streams.start()
        schedules = ScheduleRunner(app, local_cloud.endpoint)
        stops.callback(schedules.stop)
        schedules.start()
        _run_overdue_schedules(schedules)
        stops.callback(server.stop)
        server.start(_build_gateway(app, data_dir))
        _wait_until_ready(server.url)
        stops.callback(_run_mail_reports(data_dir, server.url).stop)
        stops.enter_context(_publish_site_file(data_dir / "run.json", server.url, settings))
        _print_introduction(server.url, data_dir)
        local_cloud.wait()
        raise CannotRunError("The local cloud ended by itself. cloud.log in the data folder may say why.")


def _configure_simulated_ehr(data_dir: Path) -> dict[str, str]:
    """The simulated health record system, as the only one that may ask for cards."""
    from infra import ehr  # noqa: PLC0415 as `_product`, and most of its cost is cryptography

    return {"EHR_CLIENTS": ehr.build_allow_list(ehr.load_or_create_key(data_dir / "ehr-key.json"))}


def _configure_mail_topic() -> dict[str, str]:
    """The topic that tells what became of mail."""
    from infra.local.reports import TOPIC  # noqa: PLC0415 as `_health_records`

    return {"MAIL_TOPIC": TOPIC}


def _run_mail_reports(data_dir: Path, url: str) -> "MailEventReporter":
    """Tell the product from now on what became of its mail."""
    from infra.local import reports  # noqa: PLC0415 as `_product`

    signer = reports.TopicSigner()
    reports.trust_signer(signer)
    telling = reports.MailEventReporter(SentMailbox(data_dir / "mail.jsonl"), signer, reports.build_post(url))
    telling.start()
    return telling


def _import_product(log: TextIOBase) -> Chalice:
    """The product as Lambda imports it, but with its log lines away from the terminal."""
    with contextlib.redirect_stdout(log):
        from app import app  # noqa: PLC0415 it reads the environment that was made above
    return app


def _seed() -> None:
    """Make the fictional world, the first time."""
    from infra import world  # noqa: PLC0415 as `_product`

    try:
        world.seed_once(lambda progress: print(progress, flush=True))
    except world.OutdatedWorldError as error:
        raise CannotRunError(str(error)) from error


def _run_overdue_schedules(schedules: ScheduleRunner) -> None:
    """Run at once what fell due while this machine was off."""
    from chalicelib import wiring  # noqa: PLC0415 as `_product`
    from chalicelib.services.platform.heartbeats import list_overdue_jobs  # noqa: PLC0415 as `_product`

    for job in list_overdue_jobs(wiring.get_stores().heartbeats.list_last_successes(), now=wiring.read_clock()):
        schedules.fire(job)


def _build_gateway(app: Chalice, data_dir: Path) -> Gateway:
    from chalicelib.routes.platform.endpoint import build_gateway_problem  # noqa: PLC0415 as `_product`

    return Gateway(app, build_gateway_problem, SentMailbox(data_dir / "mail.jsonl").answer)


@contextlib.contextmanager
def _publish_site_file(path: Path, url: str, settings: Mapping[str, str]) -> Iterator[None]:
    """Tell the command line how to reach this run, in a file that only its owner may read."""
    scratch = path.with_suffix(".new")
    scratch.touch(mode=0o600)
    scratch.write_text(json.dumps({"url": url, "pid": os.getpid(), "env": dict(settings)}))
    scratch.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _wait_until_ready(url: str) -> None:
    give_up_at = time.monotonic() + READY_TIMEOUT_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=10):  # noqa: S310 our own
                return
        except (urllib.error.URLError, TimeoutError) as error:
            if time.monotonic() > give_up_at:
                raise CannotRunError(f"It did not get ready: {error}.") from error
            time.sleep(0.2)


def _print_introduction(url: str, data_dir: Path) -> None:
    from infra.local import introduction  # noqa: PLC0415 as `_product`

    for line in introduction.build_introduction(url, data_dir):
        print(line)
    print("ready", flush=True)
