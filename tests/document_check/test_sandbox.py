"""The process of a check: its outcome, and its limits."""

import json
import subprocess
import sys

import pytest

from chalicelib.domain.documents.file_types import FileType
from chalicelib.domain.documents.reasons import RejectionReason
from document_check import sandbox
from document_check.sandbox import BrokenCheckError, SandboxResult, check_in_sandbox
from tests.support.uploaded_files import build_image, build_pdf


@pytest.mark.parametrize(
    ("content", "file_type", "result"),
    [
        (build_pdf(2), FileType.PDF, SandboxResult(reason=None, pages=2)),
        (build_image("JPEG"), FileType.JPEG, SandboxResult(reason=None, pages=1)),
        (b"no file", FileType.PDF, SandboxResult(reason=RejectionReason.WRONG_TYPE)),
    ],
)
def test_the_outcome_of_the_process_comes_back(tmp_path, content, file_type, result):
    """As JSON, through its output."""
    (tmp_path / "source").write_bytes(content)

    assert check_in_sandbox(tmp_path / "source", file_type, tmp_path / "cleaned") == result


def test_a_check_that_takes_too_long_is_ended(tmp_path):
    """The file is refused as too complex."""
    (tmp_path / "source").write_bytes(build_pdf())

    result = check_in_sandbox(tmp_path / "source", FileType.PDF, tmp_path / "cleaned", seconds=0.001)

    assert result.reason is RejectionReason.TOO_COMPLEX


def test_a_check_that_crashes_refuses_the_file(tmp_path, monkeypatch):
    """A crash of a library is the file's fault until it is understood."""
    monkeypatch.setattr(sandbox, "_ROOT", tmp_path)  # There is no worker.
    monkeypatch.setattr(sys, "path", [])

    result = check_in_sandbox(tmp_path / "source", FileType.PDF, tmp_path / "cleaned")

    assert result.reason is RejectionReason.TOO_COMPLEX


def test_a_library_that_cannot_be_loaded_is_not_the_fault_of_the_file(tmp_path, monkeypatch):
    """Otherwise each sender would be told that the file is too complex, and no operator would know."""
    (tmp_path / "pikepdf.py").write_text("raise ImportError('GLIBC_2.99 not found')")
    (tmp_path / "source").write_bytes(build_pdf())
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    with pytest.raises(BrokenCheckError):
        check_in_sandbox(tmp_path / "source", FileType.PDF, tmp_path / "cleaned")


def test_the_process_has_no_credentials(tmp_path, monkeypatch):
    """A library with a flaw must not find the keys of the function."""
    seen = {}

    def run(*_args, env, **_options):
        seen.update(env)
        return subprocess.CompletedProcess([], 0, stdout=json.dumps({"reason": "damaged"}).encode())

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    check_in_sandbox(tmp_path / "source", FileType.PDF, tmp_path / "cleaned")

    assert set(seen) == {"PATH", "PYTHONPATH"}


def test_the_process_limits_its_memory(tmp_path):
    """More than the limit ends in an error there, not here."""
    code = (
        "import resource; from document_check import worker; worker.check_file = lambda *_: 1 / 0\n"
        "try: worker.main('a', 'application/pdf', 'b')\n"
        "except ZeroDivisionError: print(resource.getrlimit(resource.RLIMIT_AS)[0])"
    )
    limited = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=sandbox._ROOT
    )

    assert int(limited.stdout) == 1024**3
