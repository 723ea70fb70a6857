"""Runs the whole product on this machine: `python -m infra.local`, or `make run`.

Environment variables:
    PORT      port on 127.0.0.1. Default: 8000. 0 selects any free port.
    DATA_DIR  folder for the data. Default: `.local`.
    MFA       whether people can or must use an authenticator app: OFF, OPTIONAL or ON. Default: OPTIONAL.
"""

import contextlib
import fcntl
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from infra.local.child.state_folder import DiskFullError, require_space
from infra.local.cloud import CloudError
from infra.local.lifecycle import CannotRunError, run
from infra.local.packet_function import PacketFunctionError
from infra.local.server import PortInUseError
from infra.local.stack import StackError


def main() -> int:
    """Run until a stop signal, and return the exit code."""
    for number in _STOP_SIGNALS:
        signal.signal(number, _handle_interrupt)
    data_dir = Path(os.environ.get("DATA_DIR") or ".local")
    try:
        _require_usable_disk(data_dir)
        with _lock_data_dir(data_dir):
            logging.basicConfig(filename=data_dir / "product.log", filemode="w")
            logging.getLogger("infra").setLevel(logging.INFO)
            run(data_dir, _read_port(), mfa=_read_mfa())
    except KeyboardInterrupt:
        print("Stopped. All data is saved.")
        return 0
    except (CannotRunError, CloudError, DiskFullError, PacketFunctionError, PortInUseError, StackError) as error:
        print(error, file=sys.stderr)
        return 1


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _handle_interrupt(_number: int, _frame: FrameType | None) -> None:
    """Start a clean stop. Ignore further signals, so that a second Ctrl-C does not interrupt it."""
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    print("\nStopping. Finishing requests in progress first.", flush=True)
    raise KeyboardInterrupt


def _read_port() -> int:
    port = os.environ.get("PORT") or "8000"
    if not port.isdecimal() or int(port) > 65_535:
        raise CannotRunError(f"PORT must be a number from 0 to 65535, not {port!r}.")
    return int(port)


def _require_usable_disk(data_dir: Path) -> None:
    """Check that the folder can be written and that its disk is not full, before anything is changed."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        require_space(data_dir, None)
    except OSError as error:
        raise CannotRunError(f"The folder {data_dir} cannot be used: {error.strerror}. Set DATA_DIR.") from error


def _read_mfa() -> str:
    mfa = (os.environ.get("MFA") or "OPTIONAL").upper()
    if mfa not in {"OFF", "OPTIONAL", "ON"}:
        raise CannotRunError(f"MFA must be OFF, OPTIONAL or ON, not {mfa!r}.")
    return mfa


@contextlib.contextmanager
def _lock_data_dir(data_dir: Path) -> Iterator[None]:
    """Lock the folder during the block, so that no other run uses it, and make it private to the user."""
    data_dir.mkdir(parents=True, exist_ok=True)
    data_dir.chmod(0o700)
    with (data_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRunError(
                f"Already running with the data in {data_dir}. Stop that run first, or set DATA_DIR to another folder."
            ) from None
        yield


if __name__ == "__main__":
    sys.exit(main())
