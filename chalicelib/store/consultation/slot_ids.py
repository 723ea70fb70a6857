"""Slot ids: they hold the start and what made the slot, with an authentication code of the center.

    slot_<base32 of: start in minutes, 4 bytes · origin, 6 bytes · code, 10 bytes>

So a slot is found by its id alone, and no one can guess the id of another center's slot.
"""

import hashlib
import hmac
from base64 import b32decode
from binascii import Error as Base32Error
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from chalicelib.domain.platform.ids import encode_id
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption

_PREFIX = "slot_"
_START_BYTES, _ORIGIN_BYTES, _CODE_BYTES = 4, 6, 10
_TEXT_CHARS = 32


class SlotKey(NamedTuple):
    """What a slot id holds."""

    slot_id: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class SlotIds:
    """Builds and reads slot ids."""

    encryption: EnvelopeEncryption

    def build(self, center_id: str, starts_at: datetime, origin: str) -> str:
        """Build the id of a slot. The same center, start and origin give the same id.

        Args:
            center_id: Whose slot it is.
            starts_at: When it starts; only whole minutes count.
            origin: What made it: the id of a pattern with what the slot offers, or of a person's request.
        """
        start = int(starts_at.timestamp() // 60).to_bytes(_START_BYTES, "big")
        content = start + hashlib.sha256(origin.encode()).digest()[:_ORIGIN_BYTES]
        return f"{_PREFIX}{encode_id(content + self._compute_code(center_id, content))}"

    def read(self, center_id: str, slot_id: str) -> SlotKey | None:
        """Read an id; None if it is not an id of this center's slot."""
        text = slot_id.removeprefix(_PREFIX)
        if not slot_id.startswith(_PREFIX) or len(text) != _TEXT_CHARS or text != text.lower():
            return None
        try:
            data = b32decode(text.upper())
        except (Base32Error, ValueError):
            return None
        content, code = data[:-_CODE_BYTES], data[-_CODE_BYTES:]
        if not hmac.compare_digest(code, self._compute_code(center_id, content)):
            return None
        minutes = int.from_bytes(content[:_START_BYTES], "big")
        return SlotKey(slot_id, datetime.fromtimestamp(minutes * 60, UTC))

    def _compute_code(self, center_id: str, content: bytes) -> bytes:
        text = f"slot/{center_id}/{content.hex()}"
        return self.encryption.compute_blind_index(text, scope=center_id)[:_CODE_BYTES]
