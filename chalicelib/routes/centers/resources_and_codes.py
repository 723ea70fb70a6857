"""What may be looked up beside products and centers: resources, and diagnosis codes."""

from chalice import Blueprint

from chalicelib.catalogue import diagnoses, resources
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.platform.endpoint import Reply, endpoint
from chalicelib.routes.platform.query_params import DiagnosisQuery, ResourceQuery
from chalicelib.routes.platform.request import Call

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/resources", returns=shapes.ResourceListShape)
def list_resources(call: Call, query: ResourceQuery) -> Reply:  # noqa: ARG001 every view is called alike
    """Find national resources for patients by topic, language and words."""
    found = resources.resources(topic=query.topic, language=query.language, words=query.q or "")
    return Reply(
        body={
            "items": found,
            "topics": dict(resources.TOPICS),
            "languages": dict(resources.LANGUAGES),
            "reviewed_on": resources.reviewed()["reviewed_on"],
        }
    )


@endpoint(blueprint, "GET", "/v1/diagnosis-codes", returns=shapes.DiagnosisListShape)
def list_diagnosis_codes(call: Call, query: DiagnosisQuery) -> Reply:  # noqa: ARG001 as above
    """List the billable ICD-10-CM codes to choose from, of one disease or of all."""
    codes = diagnoses.code_set()
    return Reply(
        body={
            "release": dict(codes.release),
            "items": [
                {"code": d.code, "description": d.description, "diseases": list(d.diseases)}
                for d in codes.offered(query.disease)
            ],
        }
    )
