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
from infra.local.mailbox import Mailbox
from infra.local.schedules import Schedules
from infra.local.server import Server
from infra.local.streams import Streams

if TYPE_CHECKING:
    from infra.local.reports import Reports

MAIL_FROM = "notices@referrals.example"
READY_WITHIN_S = 30.0


class CannotRunError(Exception):
    """Why it cannot run. The text is for a person."""


def run(data_dir: Path, port: int) -> NoReturn:
    """Run everything until interrupted.

    Raises:
        CannotRunError: a part of it did not get ready, or ended by itself.
        KeyboardInterrupt: it was told to stop, and everything has stopped and is saved.
    """
    server = Server(port)
    with contextlib.ExitStack() as stops:
        log = stops.enter_context((data_dir / "product.log").open("a", buffering=1))
        local_cloud = stops.enter_context(cloud.running(data_dir))
        settings = environment.for_the_product(local_cloud.endpoint)
        environment.enter(settings)
        settings |= stack.deploy(local_cloud.endpoint, public_url=server.url, mail_from=MAIL_FROM)
        settings |= _health_records(data_dir) | _mail_events()
        environment.enter(settings)
        app = _product(log)
        _seed()
        streams = Streams(app, local_cloud.endpoint, settings["TABLE_PREFIX"])
        stops.callback(streams.stop)
        streams.start()
        schedules = Schedules(app, local_cloud.endpoint)
        stops.callback(schedules.stop)
        schedules.start()
        _catch_up(schedules)
        stops.callback(server.stop)
        server.start(_gateway(app, data_dir))
        _wait_until_ready(server.url)
        stops.callback(_reporting(data_dir, server.url).stop)
        stops.enter_context(_told(data_dir / "run.json", server.url, settings))
        _introduce(server.url, data_dir)
        local_cloud.wait()
        raise CannotRunError(
            "The local cloud ended by itself. cloud.log in the data folder may say why."
        )


def _health_records(data_dir: Path) -> dict[str, str]:
    """The simulated health record system, as the only one that may ask for cards."""
    from infra import ehr  # noqa: PLC0415 as `_product`, and most of its cost is cryptography

    return {"EHR_CLIENTS": ehr.setting(ehr.key(data_dir / "ehr-key.json"))}


def _mail_events() -> dict[str, str]:
    """The topic that tells what became of mail."""
    from infra.local.reports import TOPIC  # noqa: PLC0415 as `_health_records`

    return {"MAIL_TOPIC": TOPIC}


def _reporting(data_dir: Path, url: str) -> "Reports":
    """Tell the product from now on what became of its mail."""
    from infra.local import reports  # noqa: PLC0415 as `_product`

    signer = reports.Signer()
    reports.believed(signer)
    telling = reports.Reports(Mailbox(data_dir / "mail.jsonl"), signer, reports.posting_to(url))
    telling.start()
    return telling


def _product(log: TextIOBase) -> Chalice:
    """The product as Lambda imports it, but with its log lines away from the terminal."""
    with contextlib.redirect_stdout(log):
        from app import app  # noqa: PLC0415 it reads the environment that was made above
    return app


def _seed() -> None:
    """Make the fictional world, the first time."""
    from infra import world  # noqa: PLC0415 as `_product`

    try:
        world.seed_once(lambda progress: print(progress, flush=True))
    except world.OutgrownError as error:
        raise CannotRunError(str(error)) from error


def _catch_up(schedules: Schedules) -> None:
    """Run at once what fell due while this machine was off."""
    from chalicelib import wiring  # noqa: PLC0415 as `_product`
    from chalicelib.services.platform.heartbeats import overdue_jobs  # noqa: PLC0415 as `_product`

    for job in overdue_jobs(wiring.stores().jobs.last(), now=wiring.now()):
        schedules.fire(job)


def _gateway(app: Chalice, data_dir: Path) -> Gateway:
    from chalicelib.routes.platform.endpoint import gateway_refusal  # noqa: PLC0415 as `_product`

    return Gateway(app, gateway_refusal, Mailbox(data_dir / "mail.jsonl").answer)


@contextlib.contextmanager
def _told(path: Path, url: str, settings: Mapping[str, str]) -> Iterator[None]:
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
    give_up_at = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=10):  # noqa: S310 our own
                return
        except (urllib.error.URLError, TimeoutError) as error:
            if time.monotonic() > give_up_at:
                raise CannotRunError(f"It did not get ready: {error}.") from error
            time.sleep(0.2)


def _introduce(url: str, data_dir: Path) -> None:
    from infra.local import introduction  # noqa: PLC0415 as `_product`

    for line in introduction.lines(url, data_dir):
        print(line)
    print("ready", flush=True)
