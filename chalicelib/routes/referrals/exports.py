"""Lists of referrals as files for spreadsheet programs. A list does not wait for what only these import."""

from collections.abc import Sequence

from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.operations import XLSX_TYPE
from chalicelib.routes.platform.query_params import ReferralExportQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.platform.table_files import Cell, build_csv
from chalicelib.routes.platform.workbooks import build_workbook
from chalicelib.routes.referrals.lists import to_filter, to_sorting
from chalicelib.routes.referrals.referral_table import COLUMNS, list_cells
from chalicelib.services.referrals import sorted_lists, unread
from chalicelib.services.referrals.list_filters import build_list_viewer


@declare_endpoint("GET", "/v1/referrals.csv")
def export_referrals(request: ApiRequest, query: ReferralExportQuery) -> ApiResponse[str]:
    """Export your organization's referrals as a CSV file, with the filters of the list.

    The file is UTF-8 with a byte order mark, so that spreadsheet programs read names correctly. A cell that a
    spreadsheet program could run as a formula begins with an apostrophe.
    """
    return ApiResponse(
        body=build_csv(COLUMNS, _list_table(request, query)),
        headers={"Content-Type": "text/csv; charset=utf-8", **_build_file_headers(request, "csv")},
    )


@declare_endpoint("GET", "/v1/referrals.xlsx", file_type=XLSX_TYPE)
def export_workbook(request: ApiRequest, query: ReferralExportQuery) -> ApiResponse[bytes]:
    """Export your organization's referrals as an Excel workbook, with the filters of the list.

    The workbook has one sheet with the columns of the CSV file. Dates are dates, times are in UTC, and all other
    cells are text, which no program runs as a formula.
    """
    return ApiResponse(
        body=build_workbook("Referrals", COLUMNS, _list_table(request, query)),
        headers={"Content-Type": XLSX_TYPE, **_build_file_headers(request, "xlsx")},
    )


def _list_table(request: ApiRequest, query: ReferralExportQuery) -> Sequence[Sequence[Cell]]:
    rows = sorted_lists.list_all_sorted(
        to_filter(query),
        to_sorting(query.sort),
        member=request.member,
        context=request.context,
        has_unread=unread.load_unread_rows(request.member, context=request.context).has_changes,
    )
    viewer = build_list_viewer(request.member, context=request.context)
    return [list_cells(row, viewer, context=request.context) for row in rows]


def _build_file_headers(request: ApiRequest, ending: str) -> dict[str, str]:
    name = f"referrals-{request.now.date().isoformat()}.{ending}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}
