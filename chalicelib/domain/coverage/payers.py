"""A payer as an operator configures it, and the port through which any payer is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from chalicelib.domain.coverage.question import PLAN_COVERAGE, BenefitsQuestion
from chalicelib.domain.coverage.rows import Exchange

DEFAULT_VALID_DAYS = 30
"""How long an answer counts at most. This product's proposal; a plan may promise less."""


class ConnectionKind(StrEnum):
    """The protocol that a payer, or its clearing house, speaks."""

    CORE_SOAP = "core_soap"
    """X12 270/271 in the CAQH CORE real-time envelope."""
    CLEARINGHOUSE_JSON = "clearinghouse_json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerSetup:
    """One payer of the configuration. It holds no secret.

    Attributes:
        payer_id: Our key, such as `example-health`.
        name: As people read it.
        names: Other names under which practices enter it, matched without case and punctuation.
        phone: Whom to call if an electronic check is not possible; E.164.
        kind: The protocol.
        address: The URL of the payer or clearing house. No other part of the product adds to it.
        electronic_id: The payer's id there: NM109 of the payer, or `tradingPartnerServiceId`.
        sender_id: Our id there (ISA06, GS02, `SenderID`).
        receiver_id: Whom we send to (ISA08, GS03, `ReceiverID`).
        trace_origin: TRN03, ten characters: 1 or 9, then our nine-character id.
        credentials: The name of the secret with the credentials; None if none are needed.
        service_types: X12 service type codes to ask, in one exchange each unless `many_per_request`.
        many_per_request: Whether one exchange can ask all of them.
        send_group: Whether to send the group number. Some payers reject a member whose group differs by a letter.
        valid_days: How long an answer counts at most.
        out_of_network_phrases: What this payer writes in a message if the provider is not in its network.
        max_per_second: How many exchanges a second the payer accepts from us.
        production: Whether answers about test data are refused.
    """

    payer_id: str
    name: str
    kind: ConnectionKind
    address: str
    electronic_id: str
    names: tuple[str, ...] = ()
    phone: str | None = None
    sender_id: str = ""
    receiver_id: str = ""
    trace_origin: str = ""
    credentials: str | None = None
    service_types: tuple[str, ...] = (PLAN_COVERAGE,)
    many_per_request: bool = False
    send_group: bool = False
    valid_days: int = DEFAULT_VALID_DAYS
    out_of_network_phrases: tuple[str, ...] = ()
    max_per_second: int = 5
    production: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptIds:
    """What makes one attempt unique. A repeat has new ids and the same trace id.

    Attributes:
        control_number: From the payer's counter, 1 to 999999999 (ISA13, `controlNumber`).
        payload_id: A random UUID (`PayloadID`).
        sent_at: Now, aware.
    """

    control_number: int
    payload_id: str
    sent_at: datetime


class PayerConnection(Protocol):
    """The port: asks a payer one question in whatever protocol it speaks."""

    def ask(self, question: BenefitsQuestion, *, ids: AttemptIds) -> Exchange:
        """Send one question and read the answer. Takes at most about 30 seconds.

        What the payer or the network does wrong is an `AttemptFailure` in the result, never an
        exception. Asking again is safe: a question changes nothing at the payer.
        """
        ...


def find_payer(payers: Sequence[PayerSetup], name: str) -> PayerSetup | None:
    """Find the payer that a practice entered, by any of its names; None if it is not configured."""
    wanted = normalize_payer_name(name)
    if not wanted:
        return None
    return next((payer for payer in payers if wanted in map(normalize_payer_name, (payer.name, *payer.names))), None)


def normalize_payer_name(name: str) -> str:
    """Normalize a name for comparison: letters and digits only, in small letters."""
    return "".join(char for char in name.casefold() if char.isalnum())
