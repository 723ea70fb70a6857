"""The product's log lines, formatted and written nowhere."""

import os
from functools import cache
from logging import StreamHandler
from pathlib import Path
from typing import TextIO

from chalicelib.observe import logger


def discard_logs() -> None:
    """Format each log line and write it nowhere."""
    for handler in logger.handlers:
        if isinstance(handler, StreamHandler):
            handler.setStream(_open_null_output())


@cache
def _open_null_output() -> TextIO:
    """Opened once, for as long as anything is logged."""
    return Path(os.devnull).open("w", encoding="utf-8")
