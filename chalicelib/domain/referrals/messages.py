"""Messages between the practice and the center of a referral, and who read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.referrals.stages import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message from one side to the other.

    Attributes:
        number: Its place in the referral's messages, from 1.
        side: The side of the sender.
        side_number: Its place in the messages of this side, from 1.
    """

    message_id: str
    number: int
    side: Actor
    side_number: int
    sender_id: str
    sender_name: str
    sent_at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReceipt:
    """A member opened the messages up to `number`, and there was one of the other side that was unread."""

    number: int
    side: Actor
    reader_id: str
    reader_name: str
    read_at: datetime


def list_readers(message: Message, receipts: Sequence[ReadReceipt]) -> Sequence[ReadReceipt]:
    """List the first receipt of each member of the other side who read a message, earliest first."""
    of_message = [r for r in receipts if r.side is not message.side and r.number >= message.number]
    first: dict[str, ReadReceipt] = {}
    for receipt in sorted(of_message, key=lambda r: r.read_at):
        first.setdefault(receipt.reader_id, receipt)
    return list(first.values())
