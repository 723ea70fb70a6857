"""Which checkpoint a local run starts with. What cannot be read is never taken for empty."""

import json
import shutil
from pathlib import Path

import pytest

from infra.local.__main__ import _require_usable_disk
from infra.local.child import state_folder
from infra.local.child.state_folder import (
    DiskFullError,
    UnreadableStateError,
    find_newest_checkpoint,
    remove_leftovers,
    require_space,
    write_manifest,
)
from infra.local.lifecycle import CannotRunError
from tests.support.damaged_folders import FILE_DAMAGES, POINTER_DAMAGES, replace_file

FORMATS = {"dynamodb": 2, "kms": 3}


def add_checkpoint(folder, number, *, has_manifest=True):
    checkpoint = folder / str(number)
    checkpoint.mkdir(parents=True)
    for service, version in FORMATS.items():
        state = {"__ministack_format__": version, "payload": {"mark": number}}
        (checkpoint / f"{service}.json").write_text(json.dumps(state))
    if has_manifest:
        write_manifest(checkpoint)
    (folder / "current").write_text(str(number))
    return checkpoint


@pytest.fixture
def folder(tmp_path):
    """Two checkpoints."""
    add_checkpoint(tmp_path / "state", 40)
    add_checkpoint(tmp_path / "state", 41)
    return tmp_path / "state"


def list_files(folder):
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def find(folder):
    found = find_newest_checkpoint(folder, FORMATS)
    return found and found.name


def test_the_newest_checkpoint_is_found(folder):
    assert find(folder) == "41"


def test_a_folder_without_any_checkpoint_is_a_first_start(tmp_path):
    """Also if the first checkpoint was never completed."""
    assert find(tmp_path / "state") is None
    (tmp_path / "state" / "1.new").mkdir(parents=True)
    (tmp_path / "state" / "live").mkdir()

    assert find(tmp_path / "state") is None


def follow_instruction(message):
    """Do what the message says, as a person would in a shell."""
    [line] = [line for line in message.splitlines() if line.startswith("  printf ")]
    _, name, _, pointer = line.split()
    target = Path(pointer.strip("'"))
    if target.is_dir():
        target.rmdir()
    target.write_text(name)
    return name


@pytest.mark.parametrize("damage", FILE_DAMAGES)
@pytest.mark.parametrize("name", ["dynamodb.json", "kms.json"])
def test_a_damaged_file_is_refused_and_the_checkpoint_before_it_is_offered(folder, name, damage):
    """Nothing is changed until a person decides. After that, the older checkpoint is used."""
    replace_file(folder / "41" / name, FILE_DAMAGES[damage])
    before = list_files(folder)

    with pytest.raises(UnreadableStateError, match=rf"41/{name} .*Nothing was changed") as refused:
        find(folder)

    assert list_files(folder) == before
    assert follow_instruction(str(refused.value)) == "40"
    assert find(folder) == "40"


@pytest.mark.parametrize("damage", POINTER_DAMAGES)
def test_a_damaged_pointer_is_refused_and_the_newest_whole_checkpoint_is_offered(folder, damage):
    """It is not a first start: there are checkpoints."""
    POINTER_DAMAGES[damage](folder / "current")

    with pytest.raises(UnreadableStateError, match="Nothing was changed") as refused:
        find(folder)

    assert follow_instruction(str(refused.value)) == "41"
    assert find(folder) == "41"


def test_a_pointer_without_any_checkpoint_is_refused(folder):
    """Everything else was lost, and no one may notice it only when all patients are gone."""
    for number in ("40", "41"):
        shutil.rmtree(folder / number)

    with pytest.raises(UnreadableStateError, match="41 is missing") as refused:
        find(folder)

    assert "printf" not in str(refused.value)


@pytest.mark.parametrize("damage", ["cut", "empty", "garbled", "of a newer version"])
def test_a_checkpoint_of_an_earlier_version_is_read_if_its_files_are(tmp_path, damage):
    """It has no manifest."""
    checkpoint = add_checkpoint(tmp_path / "state", 7, has_manifest=False)
    assert find(tmp_path / "state") == "7"
    FILE_DAMAGES[damage](checkpoint / "dynamodb.json")

    with pytest.raises(UnreadableStateError, match=r"7/dynamodb\.json"):
        find(tmp_path / "state")


def test_data_of_a_newer_version_asks_for_that_version(folder):
    """The same holds for a service that this version does not know."""
    (folder / "41" / "future.json").write_text('{"__ministack_format__": 1, "payload": {}}')
    write_manifest(folder / "41")

    with pytest.raises(UnreadableStateError, match=r"future\.json was written by a newer version") as refused:
        find(folder)

    assert "update this one (git pull, make setup)" in str(refused.value)


def test_two_checkpoints_are_kept(folder):
    """And nothing that was never completed."""
    add_checkpoint(folder, 42)
    (folder / "43.new").mkdir()
    (folder / "live").mkdir()

    remove_leftovers(folder, folder / "42")

    assert {each.name for each in folder.iterdir()} == {"41", "42", "current", "live"}


def test_a_newer_checkpoint_is_set_aside_when_a_person_went_back(folder):
    """It may be damaged in one file only, so it is not removed."""
    remove_leftovers(folder, folder / "40")

    names = {each.name.partition("-")[0] for each in folder.iterdir()}
    assert names == {"40", "41.set", "current"}
    (folder / "current").write_text("40")
    assert find(folder) == "40"


def test_a_disk_without_space_for_the_next_checkpoint_is_full(folder, monkeypatch):
    """It needs twice the size of the newest one, and a reserve."""
    (folder / "41" / "dynamodb.json").write_bytes(b"x" * 1000)
    size = sum(file.stat().st_size for file in (folder / "41").iterdir())
    free = state_folder.MIN_FREE_BYTES + 2 * size
    usage = shutil.disk_usage(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=free))
    require_space(folder, folder / "41")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=free - 1))

    with pytest.raises(DiskFullError, match="MB are needed"):
        require_space(folder, folder / "41")


def test_a_run_does_not_start_on_a_full_disk(tmp_path, monkeypatch):
    """Before anything is written."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=2**20))

    with pytest.raises(DiskFullError, match="1 MB are free, 64 MB are needed"):
        _require_usable_disk(tmp_path / "data")

    assert list((tmp_path / "data").iterdir()) == []


def test_a_data_folder_that_cannot_be_used_is_named(tmp_path):
    """Such as a file with its name."""
    (tmp_path / "data").write_text("")

    with pytest.raises(CannotRunError, match=r"data cannot be used: File exists\. Set DATA_DIR"):
        _require_usable_disk(tmp_path / "data")
