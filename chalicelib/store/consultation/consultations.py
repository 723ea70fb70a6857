"""The consultation of a referral, and the invitations to it, in the referral's partition.

    item                          what
    consultation                  what is booked, held or asked for
    invitation#<uid>#<sequence>   what one message to people's calendars says

The consultation has a place, a contact and notes, so it is encrypted with the practice's key. An
invitation says when and how long, and nothing about the patient. These rows sort before what a decision
reads.
"""

from dataclasses import dataclass

from chalicelib.domain.consultation.consultation import NO_CONSULTATION, Consultation
from chalicelib.domain.consultation.invitations import CalendarInvitation
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import DynamoTable, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption

CONSULTATION_WRITE = "consultation"
_ITEM = "consultation"


@dataclass(frozen=True, slots=True)
class Consultations:
    """Reads and writes consultations in the `referrals` table. `scope` is the practice."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def get(self, referral_id: str, *, scope: str) -> Consultation:
        """Read the consultation of a referral, strongly consistent; `NO_CONSULTATION` if there is none."""
        item = self.table.get({"referral_id": referral_id, "item": _ITEM})
        if item is None:
            return NO_CONSULTATION
        text = self.encryption.decrypt(item["told"], scope=scope, context=f"{referral_id}/{_ITEM}")
        return codec.from_json(Consultation, text)

    def prepare_save(self, referral_id: str, consultation: Consultation, *, scope: str) -> TransactionWrite:
        """Build the write of a changed consultation. It fails if another change was faster."""
        text = codec.to_json(Consultation, consultation).encode()
        item = {
            "referral_id": referral_id,
            "item": _ITEM,
            "version": consultation.version,
            "told": self.encryption.encrypt(
                text, scope=scope, context=f"{referral_id}/{_ITEM}", referral_id=referral_id
            ),
        }
        if consultation.version == 1:
            return self.table.prepare_put(CONSULTATION_WRITE, item, when="attribute_not_exists(referral_id)")
        values = {"read": consultation.version - 1}
        return self.table.prepare_put(CONSULTATION_WRITE, item, when="version = :read", values=values)

    def get_invitation(self, referral_id: str, key: str) -> CalendarInvitation | None:
        """Read an invitation by its key."""
        item = self.table.get({"referral_id": referral_id, "item": f"invitation#{key}"})
        return codec.from_json(CalendarInvitation, item["invitation"]) if item else None

    def prepare_invitation(self, referral_id: str, invitation: CalendarInvitation) -> TransactionWrite:
        """Build the write of an invitation. A sequence number is never used twice."""
        item = {
            "referral_id": referral_id,
            "item": f"invitation#{invitation.key}",
            "invitation": codec.to_json(CalendarInvitation, invitation),
        }
        return self.table.prepare_put("invitation", item, when="attribute_not_exists(referral_id)")
