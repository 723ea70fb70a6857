"""Which referral of a practice uses an alias: rows `alias#<practice>#<blind index>` in the `referrals` table.

The alias itself is not stored here, only its keyed hash. A row stays after its referral is closed, and
the next referral that wants the alias takes it over. Referrals of earlier releases have no row
until they are migrated.
"""

from dataclasses import dataclass

from chalicelib.store.platform.dynamo import DynamoTable, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption

ALIAS_WRITE = "alias"
"""The name of the write that takes an alias. If it fails, another referral was faster."""

_ITEM = "alias"


@dataclass(frozen=True, slots=True)
class Aliases:
    """Finds and changes the referral that uses an alias."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def find_holder(self, alias: str, *, practice_id: str) -> str | None:
        """Find the id of the referral that took the alias last, strongly consistent."""
        row = self.table.get(self._build_key(alias, practice_id))
        return str(row["held_by"]) if row else None

    def prepare_take(self, alias: str, referral_id: str, *, practice_id: str, after: str | None) -> TransactionWrite:
        """Build the write that gives the alias to a referral. It fails unless `after` still holds it."""
        item = {**self._build_key(alias, practice_id), "held_by": referral_id}
        if after is None:
            return self.table.prepare_put(ALIAS_WRITE, item, when="attribute_not_exists(referral_id)")
        return self.table.prepare_put(ALIAS_WRITE, item, when="held_by = :after", values={"after": after})

    def prepare_give_up(self, alias: str, *, practice_id: str) -> TransactionWrite:
        """Build the write that frees an alias. The caller has checked that its referral holds it."""
        return self.table.prepare_delete("alias_given_up", self._build_key(alias, practice_id))

    def _build_key(self, alias: str, practice_id: str) -> dict[str, str]:
        """Build the key of an alias in the form in which aliases are compared."""
        index = self.encryption.compute_blind_index(f"alias/{alias}", scope=practice_id).hex()
        return {"referral_id": f"alias#{practice_id}#{index}", "item": _ITEM}
