"""Verify the audit trail of one organization, page by page, so that a long check can be continued."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.domain.identity.members import Tenant
from chalicelib.services.audit.verification import (
    AuditVerification,
    list_referral_chains,
    list_referral_ids_page,
    list_tenant_chains,
    verify_chains,
)
from chalicelib.store.all_stores import Stores


class PositionError(Exception):
    """The position is not one that a check printed."""


def verify_tenant(
    tenant: Tenant, *, after: str, report: Callable[[str, int], None], stores: Stores
) -> AuditVerification:
    """Check the chains of an organization and of all its referrals.

    Args:
        tenant: The practice, the center, or the operator.
        after: Where to continue, as an earlier check reported it; empty for the beginning.
        report: Called after each page with the position and the number of chains so far.
        stores: The tables.

    Raises:
        PositionError: `after` is not valid.
    """
    result = AuditVerification()
    start = _decode_position(after) if after else None
    if start is None:
        verify_chains(list_tenant_chains(tenant, stores=stores), result, stores=stores)
    while True:
        ids, start = list_referral_ids_page(tenant, start=start, stores=stores)
        verify_chains((chain for each in ids for chain in list_referral_chains(each)), result, stores=stores)
        if start is None:
            return result
        report(_encode_position(start), result.chains)


def _encode_position(key: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(dict(key)).encode()).decode().rstrip("=")


def _decode_position(text: str) -> Mapping[str, Any]:
    try:
        position = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as e:
        raise PositionError from e
    if not isinstance(position, dict) or not position:
        raise PositionError
    return position
