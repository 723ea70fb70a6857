"""The file with the secret that a center's system signs with. The kit prints its path, never its content."""

import binascii
import os
import secrets
from base64 import b64decode, b64encode
from pathlib import Path

from chalicelib.store.webhooks.secrets import SECRET_BYTES

_PREFIX = "whsec_"


class SecretFileError(Exception):
    """The file cannot be used. The message is shown to the user, and names no content."""


def read_secret(path: Path) -> bytes:
    """Read a secret in the format of Standard Webhooks: `whsec_` and base64.

    Raises:
        SecretFileError: there is no such file, or its content has another form.
    """
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretFileError(f"Cannot read {path}. Save the secret in this file.") from error
    try:
        value = b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        value = b""
    if not text.startswith(_PREFIX) or not value:
        raise SecretFileError(f"{path} has no secret. It must have one line: {_PREFIX} and base64.")
    return value


def read_or_create_secret(path: Path) -> bytes:
    """Read the secret, or create the file with a new one that only its owner can read.

    Raises:
        SecretFileError: the content has another form.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = f"{_PREFIX}{b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}\n"
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    return read_secret(path)
