"""Writes an import through the services that the API uses, so that permissions, audit and notices are the same.

Every referral and event has an id derived from the practice and the row id. A run after an interruption
therefore continues where the first one stopped, however much later it is.
"""

import json
from collections.abc import Sequence

from chalicelib.domain.referrals.events import StageChange
from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import ReferralErasedError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.create import create_referral
from chalicelib.services.referrals.report_event import report_by_member
from chalicelib.services.referrals.report_results import ReportResult
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse
from infra.referral_import.steps import PlannedImport, Reporters


def write_import(planned: PlannedImport, reporters: Reporters, *, context: RunContext) -> tuple[bool, int]:
    """Write one row: the referral unless it exists, then each step that is not in its history.

    Returns:
        Whether the referral was created, and how many steps were reported.

    Raises:
        ApiError: the referral or a step was refused, or the patient was erased.
    """
    store = context.stores.referrals
    is_new = store.get(planned.referral_id) is None
    if is_new and context.stores.erasures.get(planned.referral_id):
        raise ReferralErasedError
    if is_new:
        create_referral(
            planned.new_referral,
            submit=True,
            referral_id=planned.referral_id,
            member=reporters.practice,
            request=_build_request(planned, reporters, "submitted"),
            build_response=_respond_created,
            context=context,
        )
    missing = planned.events if is_new else _list_missing(planned, context=context)
    reporter = reporters.find_for_center(planned.draft.center_id)
    for event in missing:
        if reporter is None:
            raise TypeError("a row with steps was checked to have a reporter")
        report_by_member(
            event,
            member=reporter,
            request=_build_request(planned, reporters, event.stage),
            build_response=_respond_reported,
            context=context,
        )
    return is_new, len(missing)


def _list_missing(planned: PlannedImport, *, context: RunContext) -> Sequence[StageChange]:
    known = {event.event_id for event in context.stores.referrals.list_history(planned.referral_id)}
    return [event for event in planned.events if event.event_id not in known]


def _build_request(planned: PlannedImport, reporters: Reporters, step: str) -> IdempotentRequest:
    """The request of one step. Its key does not depend on who runs the import."""
    practice_id = reporters.practice.tenant_id
    return IdempotentRequest(
        member_id=f"import:{practice_id}",
        tenant_id=practice_id,
        route="import",
        key=f"{practice_id}/{planned.row.row_id}/{step}",
        body=json.dumps([planned.referral_id, step]).encode(),
    )


def _respond_created(referral: Referral) -> StoredResponse:
    return StoredResponse(status=201, headers={}, body={"referral_id": referral.referral_id})


def _respond_reported(result: ReportResult) -> StoredResponse:
    return StoredResponse(status=200, headers={}, body={"referral_id": result.referral_id, "status": result.status})
