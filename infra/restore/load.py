"""Reads one referral with all of its rows for a check. An unreadable row is a finding, never the end of the check."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from chalicelib.domain.audit.hash_chain import ChainHead
from chalicelib.domain.consultation.invitations import CalendarInvitation
from chalicelib.domain.identity.members import TenantKind
from chalicelib.errors import ReferralErasedError, UnavailableError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.referrals.erasures import ERASED_ITEM
from chalicelib.store.referrals.items import REFERRAL_ITEM
from infra.erasure.erase import ERASE_ACTION
from infra.restore.findings import Finding, FindingKind
from infra.restore.joins import JoinFile
from infra.restore.required_tasks import ReferralHistory

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckScope:
    """What a check works with.

    Attributes:
        run: The tables and the time.
        joins: Keys of other tables.
        since: What was written before is complete: the earliest time to which a table was restored.
        has_sent_log: Whether the log of sent emails was given, so that an email it lacks was not sent.
        with_files: Whether to look for the file of each document.
    """

    run: RunContext
    joins: JoinFile
    since: datetime
    has_sent_log: bool = False
    with_files: bool = False


@dataclass(slots=True)
class LoadedReferral:
    """The rows of one referral's partition, and what could be read of them.

    Attributes:
        history: None if the referral itself is missing or unreadable, or one of its events is.
        was_erased: Whether the patient was erased: a row, the destroyed key or the audit trail says so.
        findings: What cannot be read.
    """

    referral_id: str
    rows: Sequence[Item]
    history: ReferralHistory | None = None
    was_erased: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def state_row(self) -> Item | None:
        """The row of the current state."""
        return next((row for row in self.rows if row["item"] == REFERRAL_ITEM), None)

    @property
    def rows_about_patient(self) -> list[Item]:
        """The rows that an erasure removes. A center that never had the referral can have sent a `stranger#`."""
        return [row for row in self.rows if row["item"] != ERASED_ITEM and not row["item"].startswith("stranger#")]

    def list_rows(self, *prefixes: str) -> list[Item]:
        """List the rows whose sort key starts with one of these."""
        return [row for row in self.rows if str(row["item"]).startswith(prefixes)]


def load_referral(referral_id: str, context: RunContext) -> LoadedReferral:
    """Read a referral. Only a service that does not respond ends the check."""
    stores = context.stores
    rows = list(stores.referrals.table.query_all("referral_id = :id", {"id": referral_id}))
    loaded = LoadedReferral(referral_id, rows)
    is_erased = loaded.list_rows(ERASED_ITEM) or _has_audited_erasure(loaded, context)
    if loaded.rows and is_erased:
        loaded.was_erased = True
        return loaded
    items, state_row = stores.referrals.items, loaded.state_row
    referral = _read(loaded, state_row, items.item_to_referral) if state_row else None
    events = [_read(loaded, row, items.item_to_event) for row in loaded.list_rows("event#")]
    parked = [_read(loaded, row, items.item_to_parked) for row in loaded.list_rows("parked#", "stranger#")]
    invitations = [_read(loaded, row, _item_to_invitation) for row in loaded.list_rows("invitation#")]
    if referral and None not in events:
        practice = stores.tenants.get_cached(TenantKind.PRACTICE, referral.practice_id)
        loaded.history = ReferralHistory(
            referral=referral,
            events=[each for each in events if each],
            parked=[each for each in parked if each],
            invitations=[each for each in invitations if each],
            decision_context=load_decision_context(referral, context=context),
            practice_zone=practice.time_zone if practice else "UTC",
        )
    return loaded


def _has_audited_erasure(loaded: LoadedReferral, context: RunContext) -> bool:
    """Whether the audit trail says that the patient was erased after the state that a restore brought back."""
    state_row = loaded.state_row
    last_known = codec.from_json(ChainHead, state_row["audited"]).seq if state_row else 0
    later = context.stores.audit_log.list_chained_rows(loaded.referral_id, after=last_known)
    return any(row["action"] == ERASE_ACTION for row in later)


def _item_to_invitation(row: Item) -> CalendarInvitation:
    return codec.from_json(CalendarInvitation, row["invitation"])


def _read(loaded: LoadedReferral, row: Item, convert: Callable[[Item], _T]) -> _T | None:
    try:
        return convert(row)
    except UnavailableError:
        raise
    except ReferralErasedError:
        loaded.was_erased = True
        return None
    except Exception as error:  # noqa: BLE001 whatever is wrong with one row, the others are still checked
        loaded.findings.append(
            Finding(
                kind=FindingKind.UNREADABLE,
                subject=loaded.referral_id,
                detail=f"{row['item']}: {type(error).__name__}",
                advice="Restore this row from a copy of the table, and its key from the table `keys`.",
            )
        )
        return None
