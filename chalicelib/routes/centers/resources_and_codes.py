"""What may be looked up beside products and centers: resources, and diagnosis codes."""

from chalice import Blueprint

from chalicelib.catalog import diagnoses, resources
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.query_params import DiagnosisQuery, ResourceQuery
from chalicelib.routes.platform.request import ApiRequest

blueprint = Blueprint(__name__)


@declare_endpoint(blueprint, "GET", "/v1/resources", response_schema=shapes.ResourceListShape)
def list_resources(request: ApiRequest, query: ResourceQuery) -> ApiResponse:  # noqa: ARG001 every view is called alike
    """Find national resources for patients by topic, language and words."""
    found = resources.list_resources(topic=query.topic, language=query.language, search_text=query.q or "")
    return ApiResponse(
        body={
            "items": found,
            "topics": dict(resources.TOPICS),
            "languages": dict(resources.LANGUAGES),
            "reviewed_on": resources.load_file()["reviewed_on"],
        }
    )


@declare_endpoint(blueprint, "GET", "/v1/diagnosis-codes", response_schema=shapes.DiagnosisListShape)
def list_diagnosis_codes(request: ApiRequest, query: DiagnosisQuery) -> ApiResponse:  # noqa: ARG001 as above
    """List the billable ICD-10-CM codes to choose from, of one disease or of all."""
    codes = diagnoses.load_code_set()
    return ApiResponse(
        body={
            "release": dict(codes.release),
            "items": [
                {"code": d.code, "description": d.description, "diseases": list(d.diseases)}
                for d in codes.list_for_disease(query.disease)
            ],
        }
    )
