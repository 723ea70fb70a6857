"""Saved views of the worklist: those of a member, and those that an organization shares."""

from typing import Annotated

from pydantic import Field

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.referrals.saved_views import MAX_NAME, MAX_VIEWS, SavedView, SavedViews, find_repeated_name
from chalicelib.errors import FieldError, MalformedError
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.fields import SingleLineText, StrictModel
from chalicelib.routes.platform.query_params import ReferralColumnSort, ReferralConditions
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.referrals.saved_views import ViewOwner, read_saved_views, save_views


class SavedViewQuery(ReferralConditions):
    """The worklist, filters and order of a view: parameters of `GET /v1/referrals`, without a search text."""

    sort: ReferralColumnSort = "worst_first"
    """How the rows are sorted: the worst first, or by one column; `-` turns the order around."""


class SavedViewRequest(StrictModel):
    """A view under a name."""

    name: Annotated[SingleLineText, Field(max_length=MAX_NAME)]
    """The name in the menu, at most 40 characters. Never enter a patient's name here."""
    query: SavedViewQuery
    """What the view shows."""


class SavedViewsRequest(StrictModel):
    """All views of a member, or all that an organization shares, in the order of the menu."""

    views: Annotated[list[SavedViewRequest], Field(max_length=MAX_VIEWS)]
    """The views, at most 20. They replace the ones before."""


class SavedViewResponse(TypedDict):
    """A view under a name."""

    name: str
    """The name in the menu."""
    query: dict[str, str | bool | list[str]]
    """The parameters of `GET /v1/referrals` that are set, such as `worklist`, `center_id` and `sort`. A filter with
    several values has a list."""


class SavedViewListResponse(TypedDict):
    """Views in the order of the menu."""

    views: list[SavedViewResponse]
    """The views."""
    version: int
    """The version; the next change sends it in `If-Match`."""


class SavedViewsResponse(TypedDict):
    """The caller's own views, and those that the organization shares."""

    mine: SavedViewListResponse
    """The caller's own views."""
    shared: SavedViewListResponse
    """The views that the members of the organization share. Each of them can change these."""


@declare_endpoint("GET", "/v1/views")
def list_views(request: ApiRequest) -> ApiResponse[SavedViewsResponse]:
    """List your saved views of the worklist, and those that your organization shares."""
    mine, shared = read_saved_views(member=request.member, context=request.context)
    return ApiResponse(body={"mine": _to_response(mine), "shared": _to_response(shared)})


@declare_endpoint("PUT", "/v1/views/mine", needs_if_match=True)
def put_own_views(request: ApiRequest, body: SavedViewsRequest) -> ApiResponse[SavedViewListResponse]:
    """Replace your saved views of the worklist."""
    return _save(ViewOwner.MINE, body, request)


@declare_endpoint("PUT", "/v1/views/shared", needs_if_match=True)
def put_shared_views(request: ApiRequest, body: SavedViewsRequest) -> ApiResponse[SavedViewListResponse]:
    """Replace the saved views that your organization shares. The audit trail has who saved them."""
    return _save(ViewOwner.SHARED, body, request)


def _save(owner: ViewOwner, body: SavedViewsRequest, request: ApiRequest) -> ApiResponse[SavedViewListResponse]:
    views = [
        SavedView(name=each.name, query=each.query.model_dump(mode="json", exclude_none=True)) for each in body.views
    ]
    repeated = find_repeated_name(views)
    if repeated is not None:
        message = "Two views have this name. Choose another one."
        raise MalformedError("malformed", message, errors=[FieldError(f"/views/{repeated}/name", "repeated", message)])
    saved = save_views(owner, views, version=request.version, member=request.member, context=request.context)
    return ApiResponse(body=_to_response(saved), headers={"ETag": f'"{saved.version}"'})


def _to_response(saved: SavedViews) -> SavedViewListResponse:
    return {
        "views": [{"name": view.name, "query": dict(view.query)} for view in saved.views],
        "version": saved.version,
    }
