"""Which documents of the referral packet the center has, which are on the way, and which are missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.documents.document import Arrival, Document, DocumentState
from chalicelib.domain.referrals.requestable_items import DOCUMENT_LABELS
from chalicelib.domain.referrals.stages import Actor


class PacketDocumentState(StrEnum):
    """Where a document of the packet is. Published names, best first."""

    AVAILABLE = "available"
    SENT_OUTSIDE = "sent_outside"
    """Sent another way; the center received it, or did not say."""
    ON_THE_WAY = "on_the_way"
    """A file is being uploaded or checked."""
    NOT_FOUND = "not_found"
    """Sent another way, and the center did not find it."""
    MISSING = "missing"


_ORDER = list(PacketDocumentState)


@dataclass(frozen=True, slots=True)
class PacketDocument:
    """One document of the packet. `kind` is a code of `DOCUMENT_LABELS`."""

    kind: str
    state: PacketDocumentState


def list_packet_documents(documents: Iterable[Document]) -> Sequence[PacketDocument]:
    """List every document of the packet with the best that the practice added for it."""
    best = dict.fromkeys(DOCUMENT_LABELS, PacketDocumentState.MISSING)
    for document in documents:
        if document.side is Actor.PRACTICE and document.kind in best:
            best[document.kind] = min(best[document.kind], _get_state(document), key=_ORDER.index)
    return [PacketDocument(kind, state) for kind, state in best.items()]


def _get_state(document: Document) -> PacketDocumentState:
    match document.state:
        case DocumentState.AVAILABLE:
            return PacketDocumentState.AVAILABLE
        case DocumentState.AWAITING_UPLOAD | DocumentState.CHECKING:
            return PacketDocumentState.ON_THE_WAY
        case DocumentState.SENT_OUTSIDE:
            is_lost = document.arrival is not None and document.arrival.arrival is Arrival.NOT_FOUND
            return PacketDocumentState.NOT_FOUND if is_lost else PacketDocumentState.SENT_OUTSIDE
    return PacketDocumentState.MISSING
