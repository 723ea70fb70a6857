"""The process of the local cloud: ministack on loopback, with checkpoints and a mail record.

It runs in `.venv-cloud`, because ministack pins a different botocore version than the product does.
Therefore, it imports nothing from the product. `infra/local/cloud.py` starts it.

It prints one line to standard output: `{"endpoint": "http://127.0.0.1:PORT"}`, or `{"refused": "why"}` if it
cannot work with the folder, and ends. It stops, after a last
checkpoint, on SIGTERM, on SIGINT, and when its standard input closes. The operating system closes the
standard input when the process that started it dies for any reason.

Files in the data folder:
    state/          the checkpoints, see `state_folder`
    state/live/     the current state while it runs, and the signing keys of tokens
    objects/        the objects of the buckets, written at once
    mail.jsonl      all sent mail; each is on disk before the sender gets the response
    tmp/            emptied at start and stop
"""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import threading
from pathlib import Path

from infra.local.child.checkpoints import CheckpointWriter
from infra.local.child.guard import GuardedApp
from infra.local.child.mail_record import MailRecord
from infra.local.child.state_folder import DiskFullError, UnreadableStateError
from infra.local.child.strict_sign_in import install


def run(data_dir: Path, *, saving: bool, dashboard: str = "") -> None:
    """Serve the state in a folder until a stop signal. If `saving` is true, save it there.

    Pages of the origin `dashboard` can upload files to the quarantine bucket.
    """
    # If the previous run was killed a moment ago, its cloud may still write its last checkpoint.
    lock = (data_dir / "cloud.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    scratch = data_dir / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    os.environ["TMPDIR"] = str(scratch)
    # Bind the port before printing it, so that no other program can take it.
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    try:
        asyncio.run(_serve(data_dir, listener, saving=saving, dashboard=dashboard))
    except (DiskFullError, UnreadableStateError) as error:
        print(json.dumps({"refused": str(error)}), flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


async def _serve(data_dir: Path, listener: socket.socket, *, saving: bool, dashboard: str) -> None:
    port = listener.getsockname()[1]
    checkpoints = CheckpointWriter(data_dir / "state")
    # ministack reads these variables at import.
    os.environ.update(GATEWAY_PORT=str(port), STATE_DIR=str(checkpoints.live))
    checkpoints.restore()
    print(json.dumps({"endpoint": f"http://127.0.0.1:{port}"}), flush=True)
    from hypercorn.asyncio import serve  # noqa: PLC0415
    from hypercorn.config import Config  # noqa: PLC0415
    from ministack import app as ministack  # noqa: PLC0415

    install()
    stop = _watch_stop_events(asyncio.get_running_loop())
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.accesslog = None
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    record = MailRecord(data_dir / "mail.jsonl")
    app = GuardedApp(ministack.app, port, checkpoints if saving else None, record, dashboard)
    if not saving:
        await serve(app, config, shutdown_trigger=stop.wait)
        return
    saver = asyncio.create_task(checkpoints.save_when_changed())
    await serve(app, config, shutdown_trigger=stop.wait)
    checkpoints.stop()
    await saver
    await checkpoints.save_on_exit()


def _watch_stop_events(loop: asyncio.AbstractEventLoop) -> asyncio.Event:
    """Return an event that is set on a stop signal, or when the process that started this one dies."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)

    def watch_standard_input() -> None:
        while os.read(0, 1024):
            pass
        with contextlib.suppress(RuntimeError):  # The loop has already ended.
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch_standard_input, daemon=True).start()
    return stop
