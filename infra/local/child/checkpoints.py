"""Saves the state of all services to disk: always two complete checkpoints, the newest and the one before it.

No request that changes something is answered while an answered change has waited for longer than `MAX_UNSAVED_S`, or
while the disk is full. So the loss of a kill has a limit, however slow the disk is.
"""

import asyncio
import contextlib
import filecmp
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from infra.local.child.state_folder import (
    DiskFullError,
    UnreadableStateError,
    find_newest_checkpoint,
    remove_leftovers,
    require_space,
    write_manifest,
)

POLL_INTERVAL_S = 2.0
MAX_UNSAVED_S = 8.0
"""With the time of a request, `kill -9` can lose the changes of ten seconds, as README says."""


class CheckpointError(Exception):
    """A checkpoint could not be completed. The previous one remains valid."""


class CheckpointWriter:
    """Copies the files that ministack saves into a separate folder, and publishes it when it is complete.

    ministack saves one file per service into its folder `live`, where it also keeps keys. A kill between
    two files would leave services with inconsistent states. Therefore, at each start this class fills
    `live` with the files of one complete checkpoint.

    Attributes:
        live: ministack's folder.
        is_failing: Whether the last checkpoint could not be written, so no request may be answered.
    """

    def __init__(self, folder: Path) -> None:
        self.live = folder / "live"
        self.live.mkdir(parents=True, exist_ok=True)
        self.is_failing = False
        self._folder = folder
        self._current = folder / "current"
        self._newest: Path | None = None
        self._number = 0
        # When the oldest change was made that is in no checkpoint, and in none that is being written.
        self._changed_at: float | None = None
        self._saving_since: float | None = None
        self._saved = asyncio.Condition()
        self._stopping = asyncio.Event()

    def restore(self) -> None:
        """Load the newest checkpoint into ministack, or nothing at the first start.

        Raises:
            UnreadableStateError: it cannot be read. Nothing was changed.
            DiskFullError: there is no space for the next one.
        """
        from ministack import app  # noqa: PLC0415 it reads the environment
        from ministack.core import persistence  # noqa: PLC0415 as above

        formats = {name: persistence._state_format_version(name) for name in app._state_map}  # noqa: SLF001 no other way
        self._newest = find_newest_checkpoint(self._folder, formats)
        require_space(self._folder, self._newest)
        for stale in self.live.glob("*.json"):
            stale.unlink()
        for file in self._newest.glob("*.json") if self._newest else ():
            (self.live / file.name).hardlink_to(file)
        for service, module_name in app._state_map.items():  # noqa: SLF001 ministack's own start ignores failures
            _load_state(service, module_name)
        app._load_persisted_state = lambda: None  # noqa: SLF001 it is loaded
        remove_leftovers(self._folder, self._newest)
        self._number = int(self._newest.name) if self._newest else 0

    def note_change(self) -> None:
        """Note that a request changed the state."""
        if self._changed_at is None:
            self._changed_at = time.monotonic()

    async def wait_for_room(self) -> None:
        """Wait until no answered change has waited for too long. The clients of the cloud wait meanwhile."""
        async with self._saved:
            await self._saved.wait_for(lambda: self.is_failing or self._get_unsaved_s() < MAX_UNSAVED_S)

    def _get_unsaved_s(self) -> float:
        """How long the oldest change has waited for its checkpoint."""
        since = self._saving_since if self._saving_since is not None else self._changed_at
        return 0 if since is None else time.monotonic() - since

    async def save_when_changed(self) -> None:
        """Save after each change, until the stop. A failed save is retried at the next poll."""
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), POLL_INTERVAL_S)
            if self._changed_at is not None or self.is_failing:
                with contextlib.suppress(CheckpointError):
                    await self.save()

    def stop(self) -> None:
        """End `save_when_changed` after the checkpoint that is being written."""
        self._stopping.set()

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
        self._saving_since, self._changed_at = self._changed_at, None
        try:
            await asyncio.to_thread(self._write, _copy_states())
        except (DiskFullError, KeyError, OSError, RuntimeError) as error:
            self._changed_at = self._saving_since if self._saving_since is not None else self._changed_at
            # A change during the copy says nothing about the disk.
            await self._publish_outcome(is_failing=self.is_failing or isinstance(error, DiskFullError | OSError))
            print("A checkpoint failed and will be tried again:", error, file=sys.stderr)
            raise CheckpointError from error
        await self._publish_outcome(is_failing=False)

    async def _publish_outcome(self, *, is_failing: bool) -> None:
        async with self._saved:
            self._saving_since, self.is_failing = None, is_failing
            self._saved.notify_all()

    def _write(self, states: dict[str, Any]) -> None:
        from ministack.core import persistence  # noqa: PLC0415 it reads the environment

        require_space(self._folder, self._newest)
        self._number += 1
        unpublished = self._folder / f"{self._number}.new"
        shutil.rmtree(unpublished, ignore_errors=True)
        unpublished.mkdir()
        for service, state in states.items():
            file = self.live / f"{service}.json"
            file.unlink(missing_ok=True)
            # ministack defines the format. If it fails, it only logs the error, and the file is missing.
            persistence.save_state(service, state)
            _link_or_write(file, unpublished, self._newest)
        write_manifest(unpublished)
        _fsync(unpublished / "manifest")
        _fsync(unpublished)
        self._newest = self._publish(unpublished.rename(unpublished.with_suffix("")))
        remove_leftovers(self._folder, self._newest)

    def _publish(self, checkpoint: Path) -> Path:
        scratch = self._current.with_suffix(".new")
        scratch.write_text(checkpoint.name)
        _fsync(scratch)
        scratch.replace(self._current)
        _fsync(self._folder)
        return checkpoint


def _load_state(service: str, module_name: str) -> None:
    from ministack import app  # noqa: PLC0415 it reads the environment
    from ministack.core import persistence  # noqa: PLC0415 as above

    try:
        if state := persistence.load_state(service):
            app._get_module(module_name).load_persisted_state(state)  # noqa: SLF001 ministack's start does the same
    except Exception as error:
        raise UnreadableStateError(
            f"The saved data of {service} cannot be read by this version ({type(error).__name__}). Nothing was "
            "changed. Start the version of the product that wrote it, or move the data folder to another place."
        ) from error


def _copy_states() -> dict[str, Any]:
    from ministack import app  # noqa: PLC0415 it reads the environment

    copy_functions = app._build_persistence_save_dict()  # noqa: SLF001 ministack's shutdown calls it too
    return {service: state for service, copy_state in copy_functions.items() if (state := copy_state()) is not None}


def _link_or_write(file: Path, checkpoint: Path, previous: Path | None) -> None:
    """Add a file to the checkpoint.

    Waiting for the disk takes most of the time, and most services never change. If the previous
    checkpoint has an equal file, link that file instead, because it is already on disk.
    """
    durable = previous / file.name if previous else None
    if durable and durable.exists() and filecmp.cmp(durable, file, shallow=False):
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
