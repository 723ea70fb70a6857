"""Which object a refused request named, for the audit trail.

A part of a path is the caller's own text. The trail keeps it only if it has the form of an id that this product
gives; everything else has one name there, `impossible_id`.
"""

from collections.abc import Mapping

from chalicelib.domain.platform.ids import ID_PATTERNS, IMPOSSIBLE_ID
from chalicelib.errors import ApiError, ForbiddenError, NotFoundError, PreconditionFailedError
from chalicelib.routes.platform.operations import RouteOperation
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.audit.refusals import record_refusal
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.rows import AuditEntry

AUDITED_REFUSALS = (ForbiddenError, NotFoundError, PreconditionFailedError)
"""Refusals because of a role, a tenant, or a version that the caller does not know."""

_SUBJECT_PREFIXES = {"referral_id": "", "member_id": "member#", "notice_id": "notice#", "entry_id": "directory_entry#"}
"""What the subject of an object starts with, by the name of its id in a path."""


def record_route_refusal(
    refusal: ApiError, operation: RouteOperation, path_parameters: Mapping[str, str], *, request: ApiRequest
) -> None:
    """Append the audit row of a member's refused request that names an object, unless a service has done it.

    Raises:
        UnavailableError: the row cannot be written.
    """
    if refusal.is_audited or request.signed_in is None or not path_parameters:
        return
    entry = AuditEntry(
        referral_id=_find_subject(path_parameters, context=request.context),
        at=request.now,
        actor_id=request.signed_in.member_id,
        tenant_id=request.signed_in.tenant_id,
        action=operation.name,
        request_id=request.request_id,
    )
    record_refusal(refusal, entry, context=request.context)


def _find_subject(path_parameters: Mapping[str, str], *, context: RunContext) -> str:
    """The subject of the row: the first object of the path, if it can exist."""
    name, value = next(iter(path_parameters.items()))
    if name == "center_id":
        # A center's id is chosen by people, so only one that exists is known to be an id.
        return f"center#{value}" if context.stores.tenants.get_center(value) else IMPOSSIBLE_ID
    if name not in ID_PATTERNS or not ID_PATTERNS[name].fullmatch(value):
        return IMPOSSIBLE_ID
    return f"{_SUBJECT_PREFIXES[name]}{value}"
