"""The payers as a job reaches them: who is configured, and the connection to each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.coverage.payers import PayerConnection, PayerSetup


class PayerGateway(Protocol):
    """The configured payers and their connections."""

    def list_payers(self) -> Sequence[PayerSetup]:
        """List the payers that can be asked electronically."""
        ...

    def open_connection(self, payer: PayerSetup) -> PayerConnection:
        """Open the connection to a payer. Nothing is sent yet."""
        ...


@dataclass(frozen=True, slots=True)
class NoPayers:
    """A gateway without payers: no electronic checks are set up."""

    def list_payers(self) -> Sequence[PayerSetup]:
        """List none."""
        return ()

    def open_connection(self, payer: PayerSetup) -> PayerConnection:
        """Refuse: there is no payer to open a connection to."""
        raise LookupError(payer.payer_id)
