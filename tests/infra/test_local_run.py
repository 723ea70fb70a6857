"""`make run` as a person has it: one process that is started, asked, stopped and started again."""

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from infra.world import list_demo_accounts

ROOT = Path(__file__).parents[2]
# A person's own settings, which would lead elsewhere if anything took notice of them.
A_PERSONS_OWN = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
}


def start(data_dir):
    return subprocess.Popen(
        [sys.executable, "-m", "infra.local"],
        cwd=ROOT,
        env=os.environ | A_PERSONS_OWN | {"PORT": "0", "DATA_DIR": str(data_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextlib.contextmanager
def running(data_dir):
    """The product, ready; yields its process and what it printed."""
    with start(data_dir) as process:
        try:
            assert process.stdout is not None
            printed = ""
            while not printed.endswith("\nready\n"):
                line = process.stdout.readline()
                assert line, f"it ended: {printed}"
                printed += line
            yield process, printed
        finally:
            process.kill()


def stop(process):
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=40)
    return process.returncode, said


def ask(data_dir, path, *, token="", body=None):
    url = json.loads((data_dir / "run.json").read_text())["url"]
    request = urllib.request.Request(url + path, data=body and json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=10) as answer:
        return json.load(answer)


def listening(*process_ids):
    """The addresses that processes listen on, as Linux tells them."""
    sockets = set()
    for process_id in process_ids:
        for descriptor in Path(f"/proc/{process_id}/fd").glob("*"):
            with contextlib.suppress(OSError):
                sockets.add(descriptor.readlink().name.strip("socket:[]"))
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path("/proc/net", table).read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[3] == "0A" and row[9] in sockets}


def children_of(process_id):
    return Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()


@pytest.fixture
def coordinator():
    return list_demo_accounts()[0]


def test_a_day_with_it(tmp_path, coordinator):
    """Started, used, stopped and started again: people, referrals and sign-ins are still there."""
    with running(tmp_path) as (process, printed):
        told = tmp_path / "run.json"
        session = ask(tmp_path, "/v1/sessions", body={"email": coordinator.email, "password": coordinator.password})
        token = session["access_token"]
        addresses = listening(process.pid, *children_of(process.pid))
        again = subprocess.run(
            [sys.executable, "-m", "infra.local"],
            cwd=ROOT,
            env=os.environ | {"DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        center = subprocess.run(
            ["/bin/sh", "-c", re.findall("DATA_DIR=.* send-event .*", printed)[0]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        before = ask(tmp_path, "/v1/referrals", token=token)["items"]
        mode = stat.S_IMODE(told.stat().st_mode)
        status, said = stop(process)

    assert coordinator.email in printed
    assert coordinator.password in printed
    assert before
    assert len(addresses) == 2
    assert {address.partition(":")[0] for address in addresses} == {"0100007F"}
    assert again.returncode == 1
    assert "already runs on the data" in again.stderr
    assert '"status": "applied"' in center.stdout
    assert mode == 0o600
    assert (status, said.splitlines()[-1]) == (0, "Stopped. Everything is saved.")
    assert not told.exists()

    began = time.monotonic()
    with running(tmp_path) as (process, printed):
        took = time.monotonic() - began
        after = ask(tmp_path, "/v1/referrals", token=token)["items"]
        stop(process)

    assert took < 15
    assert "fictional world" not in printed
    assert after == before


@pytest.mark.parametrize("port", ["eighty", "65536"])
def test_a_port_that_is_none_is_said(tmp_path, port):
    """In one sentence, before anything starts."""
    told = subprocess.run(
        [sys.executable, "-m", "infra.local"],
        cwd=ROOT,
        env=os.environ | {"PORT": port, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (told.returncode, told.stderr) == (1, f"PORT must be a number from 0 to 65535, not '{port}'.\n")
