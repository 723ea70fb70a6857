"""Saves the state of all services to disk: always one complete checkpoint, the newest or the previous one."""

import asyncio
import contextlib
import filecmp
import os
import shutil
import sys
from pathlib import Path
from typing import Any

# `kill -9` can lose five seconds: the changes since the last poll, and the time to write them.
POLL_INTERVAL_S = 2.0


class CheckpointError(Exception):
    """A checkpoint could not be completed. The previous one remains valid."""


class CheckpointWriter:
    """Copies the files that ministack saves into a separate folder, and publishes it when it is complete.

    ministack saves one file per service into its folder `live`, where it also keeps keys. A kill between
    two files would leave services with inconsistent states. Therefore, at each start this class fills
    `live` with the files of one complete checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        self.live = folder / "live"
        self.live.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._current = folder / "current"
        self.changed = False
        self._restore_newest()

    def _restore_newest(self) -> None:
        for stale in self.live.glob("*.json"):
            stale.unlink()
        for file in self._newest.glob("*.json"):
            (self.live / file.name).hardlink_to(file)
        for leftover in self._folder.iterdir():
            if leftover.is_dir() and leftover not in {self.live, self._newest}:
                shutil.rmtree(leftover)

    @property
    def _newest(self) -> Path:
        """The folder of the newest complete checkpoint. It does not exist before the first checkpoint."""
        name = self._current.read_text() if self._current.exists() else "0"
        return self._folder / name

    async def save_when_changed(self) -> None:
        """Poll forever, and save after each change. A failed save is retried at the next poll."""
        while True:
            await asyncio.sleep(POLL_INTERVAL_S)
            if self.changed:
                with contextlib.suppress(CheckpointError):
                    await self.save()

    async def save_on_exit(self) -> None:
        """Save even if a thread of ministack still changes the state: retry a few times."""
        for _ in range(4):
            with contextlib.suppress(CheckpointError):
                return await self.save()
            await asyncio.sleep(0.2)
        return await self.save()

    async def save(self) -> None:
        """Write a checkpoint of the current state.

        The copy runs on the event loop, which also runs every database request, so that it never
        contains half of a transaction. Writing the copy to disk runs in a thread.

        Raises:
            CheckpointError: the state changed during the copy, or writing to disk failed.
        """
        self.changed = False
        try:
            await asyncio.to_thread(self._write, _copy_states())
        except (KeyError, OSError, RuntimeError) as error:
            self.changed = True
            print("A checkpoint failed and will be tried again:", error, file=sys.stderr)
            raise CheckpointError from error

    def _write(self, states: dict[str, Any]) -> None:
        from ministack.core import persistence  # noqa: PLC0415 it reads the environment

        previous = self._newest
        checkpoint = self._folder / str(int(previous.name) + 1)
        shutil.rmtree(checkpoint, ignore_errors=True)
        checkpoint.mkdir()
        for service, state in states.items():
            file = self.live / f"{service}.json"
            file.unlink(missing_ok=True)
            # ministack defines the format. If it fails, it only logs the error, and the file is missing.
            persistence.save_state(service, state)
            _link_or_write(file, checkpoint, previous)
        _fsync(checkpoint)
        self._publish(checkpoint)
        shutil.rmtree(previous, ignore_errors=True)

    def _publish(self, folder: Path) -> None:
        scratch = self._current.with_suffix(".new")
        scratch.write_text(folder.name)
        _fsync(scratch)
        scratch.replace(self._current)
        _fsync(self._folder)


def _copy_states() -> dict[str, Any]:
    from ministack import app  # noqa: PLC0415 it reads the environment

    copy_functions = app._build_persistence_save_dict()  # noqa: SLF001 ministack's shutdown calls it too
    return {service: state for service, copy_state in copy_functions.items() if (state := copy_state()) is not None}


def _link_or_write(file: Path, checkpoint: Path, previous: Path) -> None:
    """Add a file to the checkpoint.

    Waiting for the disk takes most of the time, and most services never change. If the previous
    checkpoint has an equal file, link that file instead, because it is already on disk.
    """
    durable = previous / file.name
    if durable.exists() and filecmp.cmp(durable, file, shallow=False):
        (checkpoint / file.name).hardlink_to(durable)
    else:
        (checkpoint / file.name).hardlink_to(file)
        _fsync(file)


def _fsync(path: Path) -> None:
    """Wait until a file, or the list of names in a folder, is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
