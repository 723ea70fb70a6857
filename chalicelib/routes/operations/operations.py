"""How the service runs, for its operator."""

from chalicelib.routes.operations.request_bodies import RetryTasksRequest
from chalicelib.routes.operations.responses import (
    OperationsResponse,
    RetriedTasksResponse,
    UnreachableMemberListResponse,
    to_operations_response,
    to_unreachable_response,
)
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.operations import overview


@declare_endpoint("GET", "/v1/operations")
def read_operations(request: ApiRequest) -> ApiResponse[OperationsResponse]:
    """Show jobs, due and failed tasks, centers' systems and organizations (operators only)."""
    found = overview.read_overview(by=request.member, context=request.context)
    return ApiResponse(body=to_operations_response(found, now=request.now))


@declare_endpoint("GET", "/v1/operations/unreachable-members")
def list_unreachable_members(request: ApiRequest) -> ApiResponse[UnreachableMemberListResponse]:
    """List the members whose email bounces or was marked as spam (operators only)."""
    found = overview.list_unreachable_members(by=request.member, context=request.context)
    return ApiResponse(body=to_unreachable_response(found))


@declare_endpoint("POST", "/v1/operations/failed-tasks/retry", needs_idempotency_key=True)
def retry_failed_tasks(request: ApiRequest, body: RetryTasksRequest) -> ApiResponse[RetriedTasksResponse]:
    """Let the next run of their jobs try failed tasks again (operators only); safe to repeat."""
    retried = overview.retry_failed_tasks(body.outbox_ids, by=request.member, context=request.context)
    return ApiResponse(body={"retried": retried})
