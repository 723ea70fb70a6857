"""`make run` as a user runs it: start, use, stop, and start again."""

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from infra.commit import read_commit
from infra.world import list_demo_accounts

ROOT = Path(__file__).parents[2]
# Settings of a user that would send requests elsewhere if anything read them.
USER_SETTINGS = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
}


def start(data_dir):
    return subprocess.Popen(
        [sys.executable, "-m", "infra.local"],
        cwd=ROOT,
        env=os.environ | USER_SETTINGS | {"PORT": "0", "DATA_DIR": str(data_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextlib.contextmanager
def running(data_dir):
    """Start the product and wait until it is ready. Yield its process and its output."""
    with start(data_dir) as process:
        try:
            assert process.stdout is not None
            output = ""
            while not output.endswith("\nready\n"):
                line = process.stdout.readline()
                assert line, f"the process ended: {output}"
                output += line
            yield process, output
        finally:
            process.kill()


def stop(process):
    process.send_signal(signal.SIGTERM)
    # It writes a checkpoint of all tables, next to other tests.
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


def send_request(data_dir, path, *, token="", body=None):
    url = json.loads((data_dir / "run.json").read_text())["url"]
    request = urllib.request.Request(url + path, data=body and json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=10) as response:
        return json.load(response)


def list_listening_addresses(*process_ids):
    """List the addresses on which processes listen, in the format of Linux."""
    sockets = set()
    for process_id in process_ids:
        for descriptor in Path(f"/proc/{process_id}/fd").glob("*"):
            with contextlib.suppress(OSError):
                sockets.add(descriptor.readlink().name.strip("socket:[]"))
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path("/proc/net", table).read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[3] == "0A" and row[9] in sockets}


def list_child_processes(process_id):
    return Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()


@pytest.fixture
def coordinator():
    return list_demo_accounts()[0]


def test_data_and_sign_ins_survive_a_restart(tmp_path, coordinator):
    """Start, use, and stop the product, and start it again."""
    with running(tmp_path) as (process, output):
        site_file = tmp_path / "run.json"
        session = send_request(
            tmp_path, "/v1/sessions", body={"email": coordinator.email, "password": coordinator.password}
        )
        token = session["access_token"]
        addresses = list_listening_addresses(process.pid, *list_child_processes(process.pid))
        health = send_request(tmp_path, "/health")
        second_run = subprocess.run(
            [sys.executable, "-m", "infra.local"],
            cwd=ROOT,
            env=os.environ | {"DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        send_event = subprocess.run(
            ["/bin/sh", "-c", re.findall("DATA_DIR=.* send-event .*", output)[0]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        before = send_request(tmp_path, "/v1/referrals", token=token)["items"]
        mode = stat.S_IMODE(site_file.stat().st_mode)
        exit_code, stop_output = stop(process)

    assert coordinator.email in output
    assert coordinator.password in output
    assert health["commit"] == (read_commit() or None)
    assert before
    assert len(addresses) == 4, "the site, the local cloud, the simulated payers, and the function that sets PDFs"
    assert {address.partition(":")[0] for address in addresses} == {"0100007F"}
    assert second_run.returncode == 1
    assert "Already running with the data in" in second_run.stderr
    assert '"status": "applied"' in send_event.stdout
    assert mode == 0o600
    assert (exit_code, stop_output.splitlines()[-1]) == (0, "Stopped. All data is saved.")
    assert not site_file.exists()

    with running(tmp_path) as (process, output):
        after = send_request(tmp_path, "/v1/referrals", token=token)["items"]
        doctor = subprocess.run(
            [Path(sys.executable).with_name("referrals"), "doctor", "--json"],
            cwd=ROOT,
            env=os.environ | {"DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        stop(process)

    assert "sample data" not in output
    assert after == before
    checks = {each["check"]: each for each in json.loads(doctor.stdout)}
    assert checks["payers"] == {"check": "payers", "ok": True, "detail": "6 configured"}
    assert checks["quarantine bucket"]["ok"], checks["quarantine bucket"]
    assert checks["documents bucket"]["ok"], checks["documents bucket"]


@pytest.mark.parametrize("port", ["eighty", "65536"])
def test_an_invalid_port_is_reported_before_anything_starts(tmp_path, port):
    result = subprocess.run(
        [sys.executable, "-m", "infra.local"],
        cwd=ROOT,
        env=os.environ | {"PORT": port, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stderr) == (1, f"PORT must be a number from 0 to 65535, not '{port}'.\n")
