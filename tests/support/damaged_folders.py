"""Damages of a data folder, as power cuts, full disks, careless copies and newer versions leave them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _garble(file: Path) -> None:
    file.write_bytes(bytes(byte ^ 0xA5 for byte in file.read_bytes()))


def _change_one_letter(file: Path) -> None:
    content = file.read_bytes()
    place = content.index(b"mark")
    file.write_bytes(content[:place] + b"d" + content[place + 1 :])


def _make_newer(file: Path) -> None:
    content = json.loads(file.read_bytes())
    file.write_text(json.dumps({**content, "__ministack_format__": 99}))


def _make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


FILE_DAMAGES: Mapping[str, Callable[[Path], object]] = {
    "cut": _cut,
    "empty": lambda file: file.write_bytes(b""),
    "garbled": _garble,
    "changed": _change_one_letter,
    "missing": Path.unlink,
    "of a newer version": _make_newer,
}
"""Damages of one file of a checkpoint. The file contains the word `mark`."""

POINTER_DAMAGES: Mapping[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda pointer: pointer.write_bytes(b""),
    "dangling": lambda pointer: pointer.write_text("99"),
    "a path": lambda pointer: pointer.write_text("../.."),
    "garbled": lambda pointer: pointer.write_bytes(b"\xff\xfe"),
    "a folder": _make_folder,
}
"""Damages of the file that names the newest checkpoint."""


def replace_file(file: Path, damage: Callable[[Path], object]) -> None:
    """Damage a file, but no other name of it: files of checkpoints are linked."""
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    damage(file)
