"""Two more lists to look up: national patient resources, and diagnosis codes."""

from typing import cast

from chalicelib.catalog import diagnoses, resources
from chalicelib.catalog.review_dates import is_due
from chalicelib.routes.centers.responses import (
    DiagnosisCodeListResponse,
    ResourceListResponse,
    ResourceResponse,
    to_codes_response,
    to_histologies_response,
)
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.query_params import DiagnosisQuery, ResourceQuery
from chalicelib.routes.platform.request import ApiRequest


@declare_endpoint("GET", "/v1/resources")
def list_resources(request: ApiRequest, query: ResourceQuery) -> ApiResponse[ResourceListResponse]:
    """Find national patient resources by topic, language, and text."""
    found = resources.list_resources(topic=query.topic, language=query.language, search_text=query.q or "")
    return ApiResponse(
        body={
            # The file is reviewed, and a test checks each of its fields.
            "items": [
                cast("ResourceResponse", {**row, "may_be_out_of_date": is_due(row["review_by"], request.now.date())})
                for row in found
            ],
            "topics": dict(resources.TOPICS),
            "languages": dict(resources.LANGUAGES),
            "reviewed_on": resources.load_file()["reviewed_on"],
        }
    )


@declare_endpoint("GET", "/v1/diagnosis-codes")
def list_diagnosis_codes(request: ApiRequest, query: DiagnosisQuery) -> ApiResponse[DiagnosisCodeListResponse]:
    """List billable ICD-10-CM codes and histologies for one disease or all."""
    codes = diagnoses.load_code_set()
    return ApiResponse(
        body={
            "release": dict(codes.release),
            "review_by": codes.review_by,
            "may_be_out_of_date": codes.has_ended(request.now.date()),
            "items": to_codes_response(codes.list_for_disease(query.disease)),
            "histologies": to_histologies_response(query.disease),
        }
    )
