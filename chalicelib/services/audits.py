"""The audit trail: read, counted by checkpoints, and verified.

A chain shows an edit, an insertion, a swap or a gap. That its last rows are missing shows in two
other places: the head of a referral's writes stands in the referral itself, and a checkpoint
has counted every row of its time. A checkpoint is sealed with a key that KMS guards, so that
whoever may write the table cannot make one.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.domain.chain import Break, Head, breaks, digest, uncounted
from chalicelib.domain.members import Member
from chalicelib.errors import ForbiddenError, NotFoundError
from chalicelib.store.audit import CHECKPOINTS, AuditEntry
from chalicelib.store.instants import instant, parsed
from chalicelib.store.stores import Stores

GRACE = timedelta(minutes=10)
"""How long a checkpoint leaves to rows that are under way; a request lives 30 seconds."""

_SCOPE = "service"


@dataclass(slots=True)
class Findings:
    """What a verification looked at, and what it found wrong."""

    chains: int = 0
    rows: int = 0
    checkpoints: int = 0
    breaks: list[Break] = field(default_factory=list)


def trail(
    referral_id: str, *, by: Member, stores: Stores, now: datetime
) -> Sequence[Mapping[str, Any]]:
    """Who read or wrote a referral, latest first, for an administrator of either side.

    Raises:
        ForbiddenError: only administrators read it.
        NotFoundError: no such referral, or another tenant's.
    """
    if not by.manages:
        raise ForbiddenError("admin_only", "Only an administrator reads the audit trail.")
    referral = stores.referrals.get(referral_id)
    if referral is None or not by.may_see(referral):
        raise NotFoundError
    entry = AuditEntry(
        referral_id=referral_id,
        at=now,
        actor_id=by.member_id,
        tenant_id=by.tenant_id,
        action="referral.read_audit",
    )
    stores.audit.append(entry)
    rows = [row for chain in chains_of(referral_id) for row in stores.audit.rows(chain)]
    return sorted(rows, key=lambda row: str(row["at"]), reverse=True)


def chains_of(referral_id: str) -> tuple[str, str]:
    """The chain of a referral's writes, and that of its reads and refusals."""
    return referral_id, f"{referral_id}/reads"


def checkpoint(*, stores: Stores, now: datetime) -> int:
    """Count the rows since the last checkpoint and seal the count. Returns how many."""
    since = _last_upto(stores)
    upto = now - GRACE
    if since is not None and upto <= since:
        return 0
    begins = since or upto
    hashes = [str(row["hash"]) for row in _between(begins, upto, stores=stores)]
    told = {
        "since": instant(begins),
        "upto": instant(upto),
        "rows": len(hashes),
        "digest": digest(hashes),
    }
    sealed = stores.vault.seal(json.dumps(told).encode(), scope=_SCOPE, place=CHECKPOINTS)
    stores.audit.checkpoint(at=upto, sealed=b64encode(sealed).decode(), told=told)
    return len(hashes)


def verify(*, stores: Stores, now: datetime, first_day: date) -> Findings:
    """Look at every chain and every checkpoint since `first_day`."""
    found = Findings()
    for chain in sorted(_chains(first_day, now.date(), stores=stores)):
        rows = list(stores.audit.rows(chain))
        found.chains += 1
        found.rows += len(rows)
        found.breaks += breaks(chain, rows, head=_kept_head(chain, stores=stores))
    for row in stores.audit.rows(CHECKPOINTS):
        found.checkpoints += 1
        found.breaks += _recount(row, stores=stores)
    return found


def _recount(row: Mapping[str, Any], *, stores: Stores) -> Iterator[Break]:
    # cryptography is loaded with the vault; named here only where it is needed.
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        sealed = b64decode(str(row["sealed"]))
        told = json.loads(stores.vault.open(sealed, scope=_SCOPE, place=CHECKPOINTS))
    except (InvalidTag, ValueError):
        yield Break(CHECKPOINTS, int(row["seq"]), "not sealed by us")
        return
    span = _between(parsed(told["since"]), parsed(told["upto"]), stores=stores)
    hashes = [str(each["hash"]) for each in span]
    if uncounted(hashes, told["rows"], told["digest"]):
        yield Break(CHECKPOINTS, int(row["seq"]), "the rows of its time are not those it counted")


def _between(since: datetime, upto: datetime, *, stores: Stores) -> Iterator[Mapping[str, Any]]:
    """The rows of a span of time, the checkpoints themselves apart."""
    for day in _days(since.date(), upto.date()):
        for row in stores.audit.of_day(day):
            if row["referral_id"] != CHECKPOINTS and since <= parsed(row["at"]) < upto:
                yield row


def _chains(first: date, last: date, *, stores: Stores) -> set[str]:
    found = {
        str(row["referral_id"]) for day in _days(first, last) for row in stores.audit.of_day(day)
    }
    return found | {CHECKPOINTS}


def _days(first: date, last: date) -> Iterator[date]:
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)


def _kept_head(chain: str, *, stores: Stores) -> Head | None:
    """Where a chain of writes must end, as the referral itself remembers."""
    if not chain.startswith("ref_") or "/" in chain:
        return None
    referral = stores.referrals.get(chain)
    return referral.audited if referral else None


def _last_upto(stores: Stores) -> datetime | None:
    row = stores.audit.last(CHECKPOINTS)
    return parsed(str(row["upto"])) if row else None
