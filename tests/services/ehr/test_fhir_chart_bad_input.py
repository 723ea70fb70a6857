"""Any value anywhere in a record can be read without an error."""

import copy
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.services.ehr import fhir_chart as chart
from chalicelib.services.ehr import fhir_lines
from chalicelib.services.ehr import fhir_resources as fhir
from infra import ehr

TODAY = date(2026, 11, 22)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "code", "status", "url", "extension", "reference", "start"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def list_paths(node, path=()):
    """The path of every element in a chart."""
    yield path
    named = node if isinstance(node, dict) else dict(enumerate(node if type(node) is list else ()))
    for name, part in named.items():
        yield from list_paths(part, (*path, name))


PREFETCH = ehr.load_chart("follicular")["prefetch"] | {
    "statements": {
        "resourceType": "Bundle",
        "entry": [
            {
                "fullUrl": "https://ehr.example/fhir/MedicationStatement/s",
                "resource": {
                    "resourceType": "MedicationStatement",
                    "status": "completed",
                    "basedOn": [{"reference": "MedicationRequest/r"}],
                    "extension": [
                        {"url": fhir_lines.ONCONOVA_REFERENCE, "valueReference": {"reference": "CarePlan/1"}}
                    ],
                    "medicationReference": {"reference": "#m", "display": "rituximab"},
                    "contained": [
                        {
                            "resourceType": "Medication",
                            "id": "m",
                            "ingredient": [{"itemCodeableConcept": {"coding": [{"system": "urn:oid:1", "code": "1"}]}}],
                        }
                    ],
                },
            }
        ],
    },
    "care_plans": {
        "resourceType": "CarePlan",
        "id": "1",
        "status": "active",
        "title": "R-CHOP",
        "period": {"start": "2024-01-01", "end": "2024-06-01"},
        "extension": [{"url": fhir_lines.PEDCAN_NUMBER, "valuePositiveInt": 1}],
        "activity": [{"outcomeReference": [{"reference": "MedicationStatement/s"}]}],
    },
}
PATHS = [path for path in list_paths(PREFETCH) if path]


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(PATHS), junk=JUNK)
def test_any_value_in_a_record_can_be_read(place, junk):
    """A wrong value is read like an absent one."""
    changed = copy.deepcopy(PREFETCH)
    node = changed
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = junk

    found = chart.parse_chart(changed, today=TODAY)

    assert len(found.diseases) <= 1
    list(fhir.list_patient_ids(changed.get("conditions")))
