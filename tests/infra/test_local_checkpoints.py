"""When a local run answers a change: never while an answered one has waited too long for its checkpoint."""

import asyncio
import time

import pytest

from infra.local.child import checkpoints
from infra.local.child.checkpoints import MAX_UNSAVED_S, CheckpointError, CheckpointWriter


@pytest.fixture
def writer(tmp_path, monkeypatch):
    """A writer whose checkpoints succeed or fail as a test wants."""
    monkeypatch.setattr(checkpoints, "_copy_states", dict)
    writer = CheckpointWriter(tmp_path)
    monkeypatch.setattr(writer, "_write", lambda _states: None)
    return writer


def run_until_room(writer, save):
    """Wait for room, and save meanwhile. Return whether there was room before, and after."""

    async def scenario():
        waiting = asyncio.create_task(writer.wait_for_room())
        for _ in range(5):
            await asyncio.sleep(0)
        before = waiting.done()
        await save()
        for _ in range(5):
            await asyncio.sleep(0)
        after = waiting.done()
        waiting.cancel()
        return before, after

    return asyncio.run(scenario())


@pytest.mark.parametrize(("age_s", "has_room"), [(0, True), (MAX_UNSAVED_S - 1, True), (MAX_UNSAVED_S + 1, False)])
def test_a_change_waits_while_an_older_one_is_unsaved(writer, age_s, has_room):
    """A checkpoint lets it continue."""
    writer._changed_at = time.monotonic() - age_s

    assert run_until_room(writer, writer.save) == (has_room, True)


def test_a_failed_checkpoint_ends_the_wait_and_refuses_everything(writer):
    """The client learns it at once. The change stays unsaved, and the next checkpoint ends the refusals."""
    writer._changed_at = time.monotonic() - MAX_UNSAVED_S - 1

    async def fail():
        write, writer._write = writer._write, raise_error(OSError("No space left on device"))
        with pytest.raises(CheckpointError):
            await writer.save()
        writer._write = write

    assert run_until_room(writer, fail) == (False, True)
    assert writer.is_failing
    assert writer._get_unsaved_s() > MAX_UNSAVED_S
    asyncio.run(writer.save())
    assert (writer.is_failing, writer._get_unsaved_s()) == (False, 0)


def test_a_change_during_the_copy_is_no_failure(writer, monkeypatch):
    """It says nothing about the disk. The next checkpoint has it."""
    monkeypatch.setattr(checkpoints, "_copy_states", raise_error(RuntimeError("changed size during iteration")))
    writer.note_change()

    with pytest.raises(CheckpointError):
        asyncio.run(writer.save())

    assert not writer.is_failing
    assert writer._get_unsaved_s() > 0


def raise_error(error):
    """A function that fails."""

    def fail(*_):
        raise error

    return fail
