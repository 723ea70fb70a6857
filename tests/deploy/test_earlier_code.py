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
from tests.support.release_story import list_paths

PREVIOUS = {
    "0.5.0": ("0715649", set[str]()),
}
"""The commit of the release before this one, and the paths that it cannot read.

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


def test_the_previous_release_reads_the_rows_of_this_one(failed_reads):
    """What it cannot read fails. No page and no list leaves it out, as if there were none."""
    release, failed = failed_reads
    _, unreadable = PREVIOUS[release]
    tried = {side: set(list_paths(side, read_document(VERSION)["referrals"])) for side in ("practice", "center")}

    assert {line.partition(":")[0] for line in failed if " /v1/" in line} == {
        f"{side} {path}" for side, paths in tried.items() for path in paths & unreadable
    }
