"""The state of all services on disk: a whole checkpoint, or the whole one before it."""

import asyncio
import contextlib
import filecmp
import os
import shutil
import sys
from pathlib import Path
from typing import Any

# `kill -9` may lose five seconds: what waits for the next look, and the time to write it.
POLL_INTERVAL_S = 2.0


class CheckpointError(Exception):
    """A checkpoint could not be completed; the one before it still counts."""


class CheckpointWriter:
    """Copies what ministack saves into a folder of its own, and names it when it is complete.

    ministack saves a file per service into its folder, `live`, where it also keeps keys. A kill
    between two files would leave services that do not fit together; so what it finds there at
    its start are always the files of one complete checkpoint.
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
        for file in self._find_newest.glob("*.json"):
            (self.live / file.name).hardlink_to(file)
        for leftover in self._folder.iterdir():
            if leftover.is_dir() and leftover not in {self.live, self._find_newest}:
                shutil.rmtree(leftover)

    @property
    def _find_newest(self) -> Path:
        """The newest complete checkpoint; a folder that does not exist before the first."""
        name = self._current.read_text() if self._current.exists() else "0"
        return self._folder / name

    async def save_when_changed(self) -> None:
        """Look again and again, for ever; what could not be saved is tried again."""
        while True:
            await asyncio.sleep(POLL_INTERVAL_S)
            if self.changed:
                with contextlib.suppress(CheckpointError):
                    await self.save()

    async def save_on_exit(self) -> None:
        """Save although a thread of ministack's may still be changing something."""
        for _ in range(4):
            with contextlib.suppress(CheckpointError):
                return await self.save()
            await asyncio.sleep(0.2)
        return await self.save()

    async def save(self) -> None:
        """Write a checkpoint of this very moment.

        The copy is made on the event loop, where ministack also answers each request to a
        database, so that no transaction is caught half way. Writing it needs no such stillness.

        Raises:
            CheckpointError: something changed under the copy, or the disk refused.
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

        before = self._find_newest
        checkpoint = self._folder / str(int(before.name) + 1)
        shutil.rmtree(checkpoint, ignore_errors=True)
        checkpoint.mkdir()
        for service, state in states.items():
            file = self.live / f"{service}.json"
            file.unlink(missing_ok=True)
            # The format is ministack's own. A failure is only logged: the file is missing then.
            persistence.save_state(service, state)
            _link_or_write(file, checkpoint, before)
        _fsync(checkpoint)
        self._publish(checkpoint)
        shutil.rmtree(before, ignore_errors=True)

    def _publish(self, folder: Path) -> None:
        scratch = self._current.with_suffix(".new")
        scratch.write_text(folder.name)
        _fsync(scratch)
        scratch.replace(self._current)
        _fsync(self._folder)


def _copy_states() -> dict[str, Any]:
    from ministack import app  # noqa: PLC0415 it reads the environment

    copies = app._build_persistence_save_dict()  # noqa: SLF001 as its own shutdown does
    return {service: state for service, copy_state in copies.items() if (state := copy_state()) is not None}


def _link_or_write(file: Path, checkpoint: Path, before: Path) -> None:
    """Take a file into the checkpoint.

    Waiting for the disk is what costs, and most services never change: an equal file that the
    disk has already takes the place of the new one.
    """
    durable = before / file.name
    if durable.exists() and filecmp.cmp(durable, file, shallow=False):
        (checkpoint / file.name).hardlink_to(durable)
    else:
        (checkpoint / file.name).hardlink_to(file)
        _fsync(file)


def _fsync(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
