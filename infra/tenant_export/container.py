r"""The file of an export: a line of JSON in clear text, then encrypted records.

    {"format": "cart-tenant-export", "version": 1, "tenant_id": …, "salt": …, …}\n
    length (4 bytes, big endian) · ciphertext of a record        repeated
    length · ciphertext of {"end": number of records}

A record is JSON, compressed with zlib and encrypted with AES-256-GCM. The key comes from the passphrase with
scrypt (RFC 7914). The nonce of a record is its number, and each record is bound to the first line, so no record
can be changed, moved, left out or taken from another file.
"""

import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any, BinaryIO

FORMAT, VERSION = "cart-tenant-export", 1

_SCRYPT = {"n": 2**15, "r": 8, "p": 1}
_MAX_MEMORY = 64 * 1024 * 1024
_LENGTH_BYTES, _NONCE_BYTES = 4, 12
_MAX_HEADER_BYTES = 10_000

Record = Mapping[str, Any]


class ExportFileError(Exception):
    """The file cannot be used. The message is shown to the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportHeader:
    """What the first line of a file says."""

    tenant_id: str
    kind: str
    exported_at: str
    salt: bytes

    def to_line(self) -> bytes:
        """Convert to the first line."""
        content = {
            "format": FORMAT,
            "version": VERSION,
            "tenant_id": self.tenant_id,
            "kind": self.kind,
            "exported_at": self.exported_at,
            "cipher": "AES-256-GCM",
            "kdf": "scrypt",
            **_SCRYPT,
            "salt": b64encode(self.salt).decode(),
        }
        return json.dumps(content).encode() + b"\n"


def build_header(*, tenant_id: str, kind: str, exported_at: str) -> ExportHeader:
    """Build the header of a new file."""
    return ExportHeader(tenant_id=tenant_id, kind=kind, exported_at=exported_at, salt=token_bytes(16))


def write_export(path: Path, header: ExportHeader, records: Iterable[Record], *, passphrase: str) -> int:
    """Write a file that only its owner can read. Return how many records it has.

    Raises:
        ExportFileError: the file exists already.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 as in `commands`

    line, number = header.to_line(), 0
    cipher = AESGCM(_derive_key(passphrase, header.salt))
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise ExportFileError(f"{path} exists already.") from None
    with path.open("wb") as file:
        file.write(line)
        for number, record in enumerate(records, start=1):
            _write_frame(file, cipher, number, record, line)
        _write_frame(file, cipher, number + 1, {"end": number}, line)
    return number


def read_header(path: Path) -> ExportHeader:
    """Read the first line of a file.

    Raises:
        ExportFileError: it is not an export, or of a format that this release does not read.
    """
    with path.open("rb") as file:
        return _parse_header(file.readline(_MAX_HEADER_BYTES))


def read_records(path: Path, *, passphrase: str) -> Iterator[Record]:
    """Read the records of a file, in order.

    Raises:
        ExportFileError: the passphrase is wrong, or the file is damaged or incomplete.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 as in `commands`
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 as in `commands`

    with path.open("rb") as file:
        line, number = file.readline(_MAX_HEADER_BYTES), 0
        cipher = AESGCM(_derive_key(passphrase, _parse_header(line).salt))
        while True:
            number += 1
            length = int.from_bytes(file.read(_LENGTH_BYTES), "big")
            try:
                content = cipher.decrypt(_build_nonce(number), file.read(length), line)
            except (InvalidTag, ValueError):
                problem = "The passphrase is wrong, or the file is damaged." if number == 1 else "The file is damaged."
                raise ExportFileError(problem) from None
            record: Record = json.loads(zlib.decompress(content))
            if "end" in record:
                return
            yield record


def _write_frame(file: BinaryIO, cipher: Any, number: int, record: Record, line: bytes) -> None:
    content = zlib.compress(json.dumps(record, separators=(",", ":")).encode())
    encrypted: bytes = cipher.encrypt(_build_nonce(number), content, line)
    file.write(len(encrypted).to_bytes(_LENGTH_BYTES, "big") + encrypted)


def _parse_header(line: bytes) -> ExportHeader:
    try:
        content = json.loads(line)
        is_known = content["format"] == FORMAT and content["version"] == VERSION and content.items() >= _SCRYPT.items()
        header = ExportHeader(
            tenant_id=content["tenant_id"],
            kind=content["kind"],
            exported_at=content["exported_at"],
            salt=b64decode(content["salt"]),
        )
    except (ValueError, KeyError, TypeError):
        raise ExportFileError("This file is not the export of a tenant.") from None
    if not is_known:
        raise ExportFileError("This release does not read exports of this version.")
    return header


def _derive_key(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(passphrase.encode(), salt=salt, maxmem=_MAX_MEMORY, dklen=32, **_SCRYPT)


def _build_nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_BYTES, "big")
