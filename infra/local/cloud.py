"""Starts and stops the local cloud: ministack, in a separate process with a separate environment."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local import environment

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-cloud" / "bin" / "python"
START_TIMEOUT_S = 30
# A checkpoint of about 50,000 items takes two seconds. A longer timeout does no harm.
STOP_TIMEOUT_S = 30
# Isolated from the caller's folder and variables. Only this repository is added to the path.
_LAUNCH = (
    "import sys; sys.path.append(sys.argv[1]); from pathlib import Path; "
    "from infra.local.child import run; "
    "run(Path(sys.argv[2]), saving=sys.argv[3] == 'saving', dashboard=sys.argv[4])"
)


class CloudError(Exception):
    """The local cloud did not start, or stopped unexpectedly. The message is shown to the user."""


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """A running local cloud.

    Attributes:
        endpoint: Its only address, on loopback. All AWS services share it.
        process: The process of the local cloud. It stops when the current process dies.
        saving: Whether it writes checkpoints.
    """

    endpoint: str
    process: subprocess.Popen[str]
    saving: bool

    def wait(self) -> int:
        """Wait until the process ends."""
        return self.process.wait()

    def stop(self) -> None:
        """Stop it after a last checkpoint, unless it has already ended.

        A cloud without checkpoints has nothing to save. It is killed together with the functions that it
        runs, because waiting for them can take longer than the timeout on a busy machine.

        Raises:
            CloudError: the last checkpoint failed. The previous one remains valid.
        """
        with self.process:
            if self.process.poll() is not None:
                return
            if not self.saving:
                os.killpg(self.process.pid, signal.SIGKILL)
                return
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self.process.returncode:
            raise CloudError("The local cloud did not stop cleanly. The last few seconds of data may be lost.")


def start_cloud(
    data_dir: Path, *, enforce_policies: bool = False, saving: bool = True, dashboard: str = ""
) -> LocalCloud:
    """Start the local cloud with the state in `data_dir`. If there is none, start empty.

    Args:
        data_dir: The folder for its state, mail, and log.
        enforce_policies: Check signatures and IAM policies, as AWS does.
        saving: Write checkpoints. Their cost grows with the stored data, so a temporary cloud with
            much data should not use them.
        dashboard: The origin whose pages may upload files to a bucket. No other page may.

    Raises:
        CloudError: it is not installed, did not respond in time, or cannot work with the data.
    """
    if not PYTHON.exists():
        raise CloudError("The local cloud is not installed. Run `make setup`.")
    data_dir.mkdir(parents=True, exist_ok=True)
    mode = "saving" if saving else "not-saving"
    with (data_dir / "cloud.log").open("w") as log:
        process = subprocess.Popen(
            [str(PYTHON), "-I", "-c", _LAUNCH, str(ROOT), str(data_dir.resolve()), mode, dashboard],
            # Nothing is written to it. It closes when this process dies, and then the cloud stops.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment.build_cloud_environment(
                data_dir.resolve(), enforce_policies=enforce_policies, saving=saving
            ),
            # A separate process group: Ctrl-C must reach only this process, which stops the cloud at the right time.
            start_new_session=True,
        )
    try:
        return LocalCloud(_wait_until_healthy(process), process, saving)
    except BaseException:
        with process:
            process.kill()
        raise


@contextlib.contextmanager
def run_cloud(
    data_dir: Path, *, enforce_policies: bool = False, saving: bool = True, dashboard: str = ""
) -> Iterator[LocalCloud]:
    """Run a local cloud during the block."""
    cloud = start_cloud(data_dir, enforce_policies=enforce_policies, saving=saving, dashboard=dashboard)
    try:
        yield cloud
    finally:
        cloud.stop()


def _wait_until_healthy(process: subprocess.Popen[str]) -> str:
    first_line = process.stdout.readline() if process.stdout else ""
    if not first_line:
        raise CloudError("The local cloud did not start. See cloud.log in the data folder.")
    started = json.loads(first_line)
    if "refused" in started:
        raise CloudError(started["refused"])
    endpoint = str(started["endpoint"])
    give_up_at = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < give_up_at and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, TimeoutError, ConnectionError):
            _check_health(endpoint)
            return endpoint
        time.sleep(0.05)
    raise CloudError("The local cloud did not respond. See cloud.log in the data folder.")


def _check_health(endpoint: str) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{endpoint}/_ministack/health", timeout=5) as response:
        response.read()
