"""Starts and stops the local cloud: ministack, in a process and an environment of its own."""

import contextlib
import json
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
# A checkpoint of some 50,000 items takes two seconds; nothing is lost by waiting longer.
STOP_TIMEOUT_S = 30
# Isolated from the caller's folder and variables; only our own package is added.
_LAUNCH = (
    "import sys; sys.path.append(sys.argv[1]); from pathlib import Path; "
    "from infra.local.child import run; run(Path(sys.argv[2]), saving=sys.argv[3] == 'saving')"
)


class CloudError(Exception):
    """The local cloud did not start, or ended by itself. The text is for a person."""


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """A running local cloud.

    Attributes:
        endpoint: Its only address, on loopback: every AWS service answers there.
        process: The process that serves it. It ends when this one dies.
    """

    endpoint: str
    process: subprocess.Popen[str]

    def wait(self) -> int:
        """Wait until it ends."""
        return self.process.wait()

    def stop(self) -> None:
        """End it with a last checkpoint, unless it has ended already.

        Raises:
            CloudError: that checkpoint failed; the one before it still counts.
        """
        with self.process:
            if self.process.poll() is not None:
                return
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self.process.returncode:
            raise CloudError("The local cloud did not end cleanly; the last seconds may be lost.")


def start_cloud(data_dir: Path, *, enforce_policies: bool = False, saving: bool = True) -> LocalCloud:
    """Start the local cloud on the state in `data_dir`, or on an empty one.

    Args:
        data_dir: Where its state, its mail and its log are kept.
        enforce_policies: Check signatures and IAM policies, as AWS does.
        saving: Keep checkpoints. They cost time that grows with what is stored, so a cloud that
            is thrown away, with a lot in it, does without.

    Raises:
        CloudError: it is not installed, or did not answer in time.
    """
    if not PYTHON.exists():
        raise CloudError("The local cloud is not installed: run `make setup`.")
    data_dir.mkdir(parents=True, exist_ok=True)
    kept = "saving" if saving else "forgetting"
    with (data_dir / "cloud.log").open("w") as log:
        process = subprocess.Popen(
            [str(PYTHON), "-I", "-c", _LAUNCH, str(ROOT), str(data_dir.resolve()), kept],
            # Never written to: it closes when this process dies, and then the cloud ends.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment.build_cloud_environment(data_dir.resolve(), enforce_policies=enforce_policies),
            # Ctrl-C is for this process, which tells the cloud when it is time.
            start_new_session=True,
        )
    try:
        return LocalCloud(_wait_until_healthy(process), process)
    except BaseException:
        with process:
            process.kill()
        raise


@contextlib.contextmanager
def run_cloud(data_dir: Path, *, enforce_policies: bool = False, saving: bool = True) -> Iterator[LocalCloud]:
    """A local cloud for the length of a block."""
    cloud = start_cloud(data_dir, enforce_policies=enforce_policies, saving=saving)
    try:
        yield cloud
    finally:
        cloud.stop()


def _wait_until_healthy(process: subprocess.Popen[str]) -> str:
    said = process.stdout.readline() if process.stdout else ""
    if not said:
        raise CloudError("The local cloud did not start; cloud.log in the data folder says why.")
    endpoint = str(json.loads(said)["endpoint"])
    give_up_at = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < give_up_at and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, TimeoutError, ConnectionError):
            _check_health(endpoint)
            return endpoint
        time.sleep(0.05)
    raise CloudError("The local cloud did not answer; cloud.log in the data folder says why.")


def _check_health(endpoint: str) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{endpoint}/_ministack/health", timeout=5) as answer:
        answer.read()
