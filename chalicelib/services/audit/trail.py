"""The audit trail: read, counted by checkpoints, and verified.

A chain shows an edit, an insertion, a swap or a gap. That its last rows are missing shows in two
other places: the head of a referral's writes stands in the referral itself, and a checkpoint
has counted every row of its time. A checkpoint is sealed with a key that KMS guards, so that
whoever may write the table cannot make one; where the checkpoints end is kept, sealed too, in
another table, and said in the log. See docs/decisions/0018-audit-trail.md.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.domain.audit.hash_chain import NO_ROW, Break, Head, breaks, digest, uncounted
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.errors import ForbiddenError, NotFoundError
from chalicelib.observe import log
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import CHECKPOINTS, AuditEntry, chained, stands_right
from chalicelib.store.platform.timestamps import instant, parsed
from chalicelib.store.platform.transactions import ConditionFailed

GRACE = timedelta(minutes=10)
"""How long a checkpoint leaves to rows that are under way; a request lives 30 seconds."""

_SCOPE = "service"
_ANCHOR = "checkpoints/head"


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
    sealed = b64encode(_sealed(told, CHECKPOINTS, stores=stores)).decode()
    checkpointing, head = stores.audit.checkpointing(at=upto, sealed=sealed, told=told)
    anchor = _sealed(head._asdict(), _ANCHOR, stores=stores)
    try:
        stores.ledger.commit(checkpointing, stores.audit.anchoring(anchor))
    except ConditionFailed:
        return 0  # Another run was quicker, and counted the same.
    # The log is the one place that nobody who may write tables can change.
    log.info("audit checkpoint", head=f"{head.seq}:{head.hash}", counts={"rows": len(hashes)})
    return len(hashes)


def verify(*, stores: Stores, now: datetime, first_day: date) -> Findings:
    """Look at every chain and every checkpoint since `first_day`."""
    found = Findings()
    chains = _chains(first_day, now.date(), stores=stores) | _written(stores)
    for chain in sorted(chains):
        rows = list(stores.audit.stored(chain))
        found.chains += 1
        found.rows += len(rows)
        head = _kept_head(chain, stores=stores)
        found.breaks += breaks(chain, map(chained, rows), head=head)
        found.breaks += [
            Break(chain, place, "does not stand where it belongs")
            for place, row in enumerate(rows, start=1)
            if not stands_right(row)
        ]
    found.checkpoints, wrong = _recounted(stores)
    found.breaks += wrong
    return found


def _recounted(stores: Stores) -> tuple[int, list[Break]]:
    """How many checkpoints there are, and what is wrong with what they counted, or with them."""
    rows = list(stores.audit.rows(CHECKPOINTS))
    wrong: list[Break] = []
    until: str | None = None
    for place, row in enumerate(rows, start=1):
        told = _opened(row.get("sealed"), CHECKPOINTS, stores=stores)
        if told is None:
            wrong.append(Break(CHECKPOINTS, place, "not sealed by us"))
            continue
        if until not in (None, told["since"]):
            wrong.append(Break(CHECKPOINTS, place, "a checkpoint before it is missing"))
        until = told["upto"]
        span = _between(parsed(told["since"]), parsed(until), stores=stores)
        if uncounted([str(each.get("hash")) for each in span], told["rows"], told["digest"]):
            wrong.append(Break(CHECKPOINTS, place, "the rows of its time are not what it counted"))
    return len(rows), wrong


def _sealed(told: Mapping[str, Any], place: str, *, stores: Stores) -> bytes:
    return stores.vault.seal(json.dumps(told).encode(), scope=_SCOPE, place=place)


def _opened(sealed: object, place: str, *, stores: Stores) -> Any:
    """What `_sealed` was given, from bytes or their base64; None if it was not."""
    # cryptography is loaded with the vault; named here only where it is needed.
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        raw = sealed if isinstance(sealed, bytes) else b64decode(str(sealed))
        return json.loads(stores.vault.open(raw, scope=_SCOPE, place=place))
    except (InvalidTag, ValueError):
        return None


def _between(since: datetime, upto: datetime, *, stores: Stores) -> Iterator[Mapping[str, Any]]:
    """The rows of a span of time, the checkpoints themselves apart."""
    for day in _days(since.date(), upto.date()):
        # A row of the last instant stands behind it in the index, and so is not among these.
        for row in stores.audit.of_span(day, instant(since), instant(upto)):
            if row["referral_id"] != CHECKPOINTS:
                yield row


def _chains(first: date, last: date, *, stores: Stores) -> set[str]:
    found = {
        str(row["referral_id"]) for day in _days(first, last) for row in stores.audit.of_day(day)
    }
    return found | {CHECKPOINTS}


def _days(first: date, last: date) -> Iterator[date]:
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)


def _written(stores: Stores) -> set[str]:
    """The chain of every referral that there is: a chain that is gone is in no index."""
    practices = stores.tenants.of_kind(TenantKind.PRACTICE)
    return {
        referral_id
        for practice in practices
        for referral_id in stores.referrals.ids_of(practice.tenant_id)
    }


def _kept_head(chain: str, *, stores: Stores) -> Head | None:
    """Where a chain must end, as the referral itself or the anchor remembers."""
    if chain == CHECKPOINTS:
        sealed = stores.audit.anchor()
        told = _opened(sealed, _ANCHOR, stores=stores) if sealed else {}
        return NO_ROW if told is None else Head(**told)
    if not chain.startswith("ref_") or "/" in chain:
        return None
    referral = stores.referrals.get(chain)
    return referral.audited if referral else None


def _last_upto(stores: Stores) -> datetime | None:
    row = stores.audit.last(CHECKPOINTS)
    return parsed(str(row["upto"])) if row else None
