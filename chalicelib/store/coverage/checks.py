"""Electronic benefits checks in the referral's partition, encrypted with the practice's key.

    item                                               what
    coverage_check#<check id>                          one check with what came of it
    coverage_exchange#<check id>#<attempt>#<number>    what was sent to a payer and what came back, for audit
    coverage_lock#<payer id>                           which check may ask a payer about this referral

A lock belongs to one check until its lease ends. An exchange is never changed. These rows sort before what a
decision reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.coverage.checks import CoverageCheck
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import to_timestamp

CHECK_WRITE = "coverage_check"
LOCK_WRITE = "coverage_lock"
"""The names of the writes in a `ConditionFailedError`."""

_CHECK_PREFIX = "coverage_check#"


@dataclass(frozen=True, slots=True)
class CoverageChecks:
    """Reads and writes checks in the `referrals` table. `scope` is the practice."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def get(self, referral_id: str, check_id: str, *, scope: str) -> CoverageCheck | None:
        """Read one check, strongly consistent."""
        item = self.table.get({"referral_id": referral_id, "item": f"{_CHECK_PREFIX}{check_id}"})
        return self._item_to_check(item, scope) if item else None

    def list_for_referral(self, referral_id: str, *, scope: str) -> Sequence[CoverageCheck]:
        """List every check of a referral, newest first."""
        rows = self.table.query_all(
            "referral_id = :id AND begins_with(#item, :prefix)", {"id": referral_id, "prefix": _CHECK_PREFIX}
        )
        checks = [self._item_to_check(row, scope) for row in rows]
        return sorted(checks, key=lambda check: (check.requested_at, check.check_id), reverse=True)

    def find_lock_holder(self, referral_id: str, payer_id: str, *, now: datetime) -> str | None:
        """Find the id of the check that may ask the payer now; None if none may."""
        row = self.table.get(_build_lock_key(referral_id, payer_id))
        return str(row["check_id"]) if row and row["lease"] > to_timestamp(now) else None

    def find_last_lock_holder(self, referral_id: str, payer_id: str) -> str | None:
        """Find the id of the check that took the lock last, even if its lease has ended; None if none ever did."""
        row = self.table.get(_build_lock_key(referral_id, payer_id))
        return str(row["check_id"]) if row else None

    def prepare_save(self, referral_id: str, check: CoverageCheck, *, scope: str) -> TransactionWrite:
        """Build the write of a check. It fails if someone changed it after it was read, or made it before."""
        item_key = f"{_CHECK_PREFIX}{check.check_id}"
        plaintext = codec.to_json(CoverageCheck, check).encode()
        item = {
            "referral_id": referral_id,
            "item": item_key,
            "version": check.version,
            "told": self._encrypt(plaintext, f"{referral_id}/{item_key}", scope, referral_id),
        }
        if check.version == 1:
            return self.table.prepare_put(CHECK_WRITE, item, when="attribute_not_exists(referral_id)")
        return self.table.prepare_put(CHECK_WRITE, item, when="version = :read", values={"read": check.version - 1})

    def prepare_lock(
        self,
        referral_id: str,
        payer_id: str,
        check_id: str,
        *,
        now: datetime,
        until: datetime,
        replaced_id: str | None = None,
    ) -> TransactionWrite:
        """Build the write that lets one check ask a payer. It fails while another one may, except a replaced one."""
        item = {**_build_lock_key(referral_id, payer_id), "check_id": check_id, "lease": to_timestamp(until)}
        return self.table.prepare_put(
            LOCK_WRITE,
            item,
            when="attribute_not_exists(referral_id) OR lease <= :now OR check_id = :replaced",
            values={"now": to_timestamp(now), "replaced": replaced_id or "none"},
        )

    def prepare_unlock(self, referral_id: str, payer_id: str, check_id: str, *, now: datetime) -> TransactionWrite:
        """Build the write that ends the lease of a check. It fails if the lock belongs to another one."""
        item = {**_build_lock_key(referral_id, payer_id), "check_id": check_id, "lease": to_timestamp(now)}
        return self.table.prepare_put(LOCK_WRITE, item, when="check_id = :mine", values={"mine": check_id})

    def prepare_add_exchange(
        self, referral_id: str, check_id: str, *, attempt: int, number: int, sent: bytes, received: bytes, scope: str
    ) -> TransactionWrite:
        """Build the write that keeps what was sent and received, byte by byte, for audit."""
        item_key = f"coverage_exchange#{check_id}#{attempt:03d}#{number:02d}"
        item: Item = {"referral_id": referral_id, "item": item_key}
        for name, content in (("sent", sent), ("received", received)):
            item[name] = self._encrypt(content, f"{referral_id}/{item_key}/{name}", scope, referral_id)
        return self.table.prepare_put("coverage_exchange", item, when="attribute_not_exists(referral_id)")

    def list_exchanges(self, referral_id: str, check_id: str, *, scope: str) -> Sequence[tuple[bytes, bytes]]:
        """List what was sent and received for a check, in order."""
        rows = self.table.query_all(
            "referral_id = :id AND begins_with(#item, :prefix)",
            {"id": referral_id, "prefix": f"coverage_exchange#{check_id}#"},
        )
        return [(self._decrypt_part(row, "sent", scope), self._decrypt_part(row, "received", scope)) for row in rows]

    def _decrypt_part(self, item: Item, name: str, scope: str) -> bytes:
        context = f"{item['referral_id']}/{item['item']}/{name}"
        return self.encryption.decrypt(item[name], scope=scope, context=context)

    def _encrypt(self, plaintext: bytes, context: str, scope: str, referral_id: str) -> bytes:
        return self.encryption.encrypt(plaintext, scope=scope, context=context, referral_id=referral_id)

    def _item_to_check(self, item: Item, scope: str) -> CoverageCheck:
        context = f"{item['referral_id']}/{item['item']}"
        return codec.from_json(CoverageCheck, self.encryption.decrypt(item["told"], scope=scope, context=context))


def _build_lock_key(referral_id: str, payer_id: str) -> Item:
    return {"referral_id": referral_id, "item": f"coverage_lock#{payer_id}"}
