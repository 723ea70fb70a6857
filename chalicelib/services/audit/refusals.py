"""The audit row of a refusal: one for each refused request, wherever it was refused.

A service that knows what was attempted records it itself, with the name of the action. The route records every
other refusal that names an object, so no service can forget it.
"""

from dataclasses import replace

from chalicelib.errors import ApiError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.rows import AuditEntry


def record_refusal(refusal: ApiError, entry: AuditEntry, *, context: RunContext) -> None:
    """Append the audit row of a refusal, unless it has one.

    Args:
        refusal: The error that the caller gets. Its code is the outcome of the row.
        entry: What was attempted, without the outcome.
        context: The tables and the time.

    Raises:
        UnavailableError: the row cannot be written.
    """
    if refusal.is_audited:
        return
    context.stores.audit_log.append_refusal(replace(entry, outcome=refusal.code, version=None))
    refusal.is_audited = True
