"""After a rollback, the previous release reads the rows of this one: its own code, from the history in git."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from chalicelib.version import VERSION
from infra.commit import ROOT
from tests.releases import read_document

PREVIOUS = {
    # Its timelines show no event of a kind that came later, and answer with 500. From 0.3.0 on, it is 503.
    "0.2.0": ("ef8add8", {"infused", "corrected"}),
}
"""The commit of the release before this one, and the referrals whose timelines it cannot read.

When a version is published, the one before it takes its place here.
"""


@pytest.fixture(scope="module", params=PREVIOUS)
def failed_reads(request, tmp_path_factory):
    """What the previous release cannot read of the rows of this one."""
    folder = tmp_path_factory.mktemp("previous")
    archive = folder / "code.tar"
    commit, _ = PREVIOUS[request.param]
    subprocess.run(["git", "archive", "--output", str(archive), commit], cwd=ROOT, check=True)
    code = folder / "code"
    with tarfile.open(archive) as packed:
        packed.extractall(code, filter="data")
    shutil.copy(ROOT / "tests" / "support" / "release_story.py", code / "tests" / "support")
    shutil.copy(Path(__file__).with_name("reader_for_earlier_code.py"), code / "tests" / "test_reader.py")
    rows, failed = folder / "rows.json", folder / "failed.json"
    rows.write_text(json.dumps(read_document(VERSION)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "tests/test_reader.py"],
        cwd=code,
        env=os.environ | {"PYTHONPATH": str(code), "ROWS": str(rows), "FAILED": str(failed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert failed.exists(), done.stdout[-3000:]
    return request.param, json.loads(failed.read_text("utf-8"))


def test_the_previous_release_reads_everything_but_kinds_of_events_that_it_does_not_know(failed_reads):
    release, failed = failed_reads
    _, unread = PREVIOUS[release]
    referrals = read_document(VERSION)["referrals"]
    paths = [line.partition(":")[0] for line in failed]
    assert sorted(paths) == sorted(
        f"{side} /v1/referrals/{referrals[name]}/events" for side in ("practice", "center") for name in unread
    )
