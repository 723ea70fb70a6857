"""Whatever stands in a record, and wherever, reading it breaks nothing."""

import copy
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.services.ehr import fhir_chart as chart
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


def spots(node, path=()):
    """Every place in a chart."""
    yield path
    named = node if isinstance(node, dict) else dict(enumerate(node if type(node) is list else ()))
    for name, part in named.items():
        yield from spots(part, (*path, name))


PREFETCH = ehr.load_chart("follicular")["prefetch"]
SPOTS = [path for path in spots(PREFETCH) if path]


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(SPOTS), junk=JUNK)
def test_whatever_stands_in_a_record_never_breaks_the_reading(place, junk):
    """Any value anywhere: it is read like one that is absent."""
    spoiled = copy.deepcopy(PREFETCH)
    node = spoiled
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = junk

    found = chart.parse_chart(spoiled, drafts=(), today=TODAY)

    assert len(found.diseases) <= 1
    list(fhir.list_patient_ids(spoiled.get("conditions")))
