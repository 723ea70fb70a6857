"""Starts all parts of a local run in order, and stops them in reverse order."""

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

from botocore.session import get_session
from chalice import Chalice

from infra.commit import read_commit
from infra.local import cloud, environment, stack
from infra.local.gateway import Gateway
from infra.local.mailbox import SentMailbox
from infra.local.packet_function import run_packet_function
from infra.local.schedules import EventFunction, ScheduleRunner
from infra.local.server import HttpServer
from infra.local.streams import StreamRunner
from infra.payers.server import run_simulator

if TYPE_CHECKING:
    from infra.local.mail_events import MailEventReporter

MAIL_FROM = "notices@referrals.example"
READY_TIMEOUT_S = 30.0
FILE_CHECK_LIMIT_S = 120.0
"""The time limit of the function `DocumentCheck` in `infra/resources.json`."""


class CannotRunError(Exception):
    """The product cannot run. The message is shown to the user."""


def run(data_dir: Path, port: int, *, mfa: str = "OPTIONAL") -> NoReturn:
    """Run everything until interrupted. `mfa` is the parameter `Mfa` of the template.

    Raises:
        CannotRunError: a part did not start, or stopped unexpectedly.
        KeyboardInterrupt: a stop signal arrived. By then, everything has stopped and all data is saved.
    """
    server = HttpServer(port)
    with contextlib.ExitStack() as stops:
        log = stops.enter_context((data_dir / "product.log").open("a", buffering=1))
        local_cloud = stops.enter_context(cloud.run_cloud(data_dir, dashboard=server.url))
        settings = environment.build_product_environment(local_cloud.endpoint)
        environment.apply_environment(settings)
        settings |= stack.deploy(
            local_cloud.endpoint, public_url=server.url, mail_from=MAIL_FROM, commit=read_commit(), mfa=mfa
        )
        settings |= _configure_simulated_ehr(data_dir) | _configure_mail_topic()
        settings |= _configure_payers(stops.enter_context(run_simulator()).url, local_cloud.endpoint)
        settings["AWS_ENDPOINT_URL_LAMBDA"] = stops.enter_context(run_packet_function())
        environment.apply_environment(settings)
        app = _import_product(log)
        _seed()
        streams = StreamRunner(app, local_cloud.endpoint, settings["TABLE_PREFIX"])
        stops.callback(streams.stop)
        streams.start()
        schedules = ScheduleRunner(app, local_cloud.endpoint, _build_file_functions())
        stops.callback(schedules.stop)
        schedules.start()
        _run_overdue_schedules(schedules)
        stops.callback(server.stop)
        server.start(_build_gateway(app, data_dir))
        _wait_until_ready(server.url)
        stops.callback(_start_mail_events(data_dir, server.url).stop)
        stops.enter_context(_publish_site_file(data_dir / "run.json", server.url, settings))
        _print_introduction(server.url, data_dir)
        local_cloud.wait()
        raise CannotRunError("The local cloud stopped unexpectedly. See cloud.log in the data folder.")


def _configure_simulated_ehr(data_dir: Path) -> dict[str, str]:
    """Return the setting that allows only the simulated EHR to call the CDS Hooks services."""
    from infra import ehr  # noqa: PLC0415 see `_import_product`; it also imports cryptography, which is slow

    return {"EHR_CLIENTS": ehr.build_allow_list(ehr.load_or_create_key(data_dir / "ehr-key.json"))}


def _configure_mail_topic() -> dict[str, str]:
    """Return the setting of the topic that publishes mail events."""
    from infra.local.mail_events import TOPIC  # noqa: PLC0415 see `_configure_simulated_ehr`

    return {"MAIL_TOPIC": TOPIC}


def _configure_payers(url: str, endpoint: str) -> dict[str, str]:
    """Store the configuration of the simulated payers, and return the setting that names it."""
    from infra.payers import setups  # noqa: PLC0415 see `_configure_simulated_ehr`

    setups.store_secrets(get_session().create_client("secretsmanager", endpoint_url=endpoint), url)
    return {"PAYERS_SECRET": setups.PAYERS_SECRET}


def _start_mail_events(data_dir: Path, url: str) -> "MailEventReporter":
    """Start to report delivery and bounce events of new mail to the product."""
    from infra.local import mail_events  # noqa: PLC0415 see `_import_product`

    signer = mail_events.TopicSigner()
    mail_events.trust_signer(signer)
    reporter = mail_events.MailEventReporter(SentMailbox(data_dir / "mail.jsonl"), signer, mail_events.build_post(url))
    reporter.start()
    return reporter


def _import_product(log: TextIOBase) -> Chalice:
    """Import the product as Lambda does, but write its log lines to a file instead of the terminal."""
    with contextlib.redirect_stdout(log):
        from app import app  # noqa: PLC0415 it reads the environment, which must be set first
    return app


def _seed() -> None:
    """Create the sample data at the first start."""
    from infra import world  # noqa: PLC0415 see `_import_product`

    try:
        world.seed_once(lambda progress: print(progress, flush=True))
    except world.OutdatedWorldError as error:
        raise CannotRunError(str(error)) from error


def _build_file_functions() -> tuple[EventFunction, ...]:
    """The check of uploaded files, and the scanner in place of GuardDuty."""
    from chalicelib.domain.documents.check_events import FILE_CHECK_PATTERN  # noqa: PLC0415 see `_import_product`
    from document_check import handler  # noqa: PLC0415 see `_import_product`
    from infra.local import scanner  # noqa: PLC0415 see `_import_product`

    return tuple(
        EventFunction(name=name, pattern=FILE_CHECK_PATTERN, handler=handle, time_limit_s=FILE_CHECK_LIMIT_S)
        for name, handle in (("document-check", handler.handle), ("scanner", scanner.handle))
    )


def _run_overdue_schedules(schedules: ScheduleRunner) -> None:
    """Run the jobs that became due while this machine was off."""
    from chalicelib import wiring  # noqa: PLC0415 see `_import_product`
    from chalicelib.services.platform.heartbeats import list_overdue_jobs  # noqa: PLC0415 see `_import_product`

    for job in list_overdue_jobs(wiring.get_stores().heartbeats.list_last_successes(), now=wiring.read_clock()):
        schedules.fire(job)


def _build_gateway(app: Chalice, data_dir: Path) -> Gateway:
    from chalicelib.routes.platform.endpoint import build_gateway_problem  # noqa: PLC0415 see `_import_product`

    return Gateway(app, build_gateway_problem, SentMailbox(data_dir / "mail.jsonl").answer)


@contextlib.contextmanager
def _publish_site_file(path: Path, url: str, settings: Mapping[str, str]) -> Iterator[None]:
    """Write the address and the settings of this run to a file for the command line. Only its owner can read it."""
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
                raise CannotRunError(f"Startup failed: {error}.") from error
            time.sleep(0.2)


def _print_introduction(url: str, data_dir: Path) -> None:
    from infra.local import introduction  # noqa: PLC0415 see `_import_product`

    for line in introduction.build_introduction(url, data_dir):
        print(line)
    print("ready", flush=True)
