"""Two readers of X12 that we did not write. Each reads an interchange into the same plain rows as our own."""

import io
from decimal import Decimal

from pyx12 import x12file
from x12sdk.io import X12ModelReader


def read_with_pyx12(text):
    """The segments of an interchange and what is wrong with its envelope, as pyx12 reads it."""
    reader = x12file.X12Reader(io.StringIO(text))
    segments = [segment.format("~", "*", ":").rstrip("~") for segment in reader]
    reader.cleanup()
    return segments, reader.pop_errors()


def read_with_x12sdk(text):
    """The only transaction set of an interchange, validated against its guide by x12sdk."""
    with X12ModelReader(text) as reader:
        [model] = reader.models()
    return model


def list_rows(model):
    """The benefit rows of a 271 that x12sdk read."""
    subscriber = model.loop_2000a[0].loop_2000b[0].loop_2000c[0]
    dependents = subscriber.loop_2000d or []
    loops = dependents[0].loop_2100d.loop_2110d if dependents else subscriber.loop_2100c.loop_2110c
    return [_build_row(loop, _get_entities(loop)) for loop in loops or []]


def _get_entities(loop):
    return getattr(loop, "loop_2120c", None) or getattr(loop, "loop_2120d", None) or []


def _build_row(loop, entities):
    eb = loop.eb_segment
    return {
        "code": _value(eb.eligibility_benefit_information),
        "level": _value(eb.coverage_level_code),
        "service_types": tuple(_value(each) for each in eb.service_type_code or []),
        "insurance_type": _value(eb.insurance_type_code),
        "plan_name": _value(eb.plan_coverage_description),
        "period": _value(eb.time_period_qualifier),
        "amount": _number(eb.benefit_amount),
        "percent": _number(eb.benefit_percent),
        "authorization": _value(eb.authorization_certification_indicator),
        "in_network": _value(eb.inplan_network_indicator),
        "messages": tuple(each.free_form_text for each in loop.msg_segment or []),
        "references": tuple(
            (_value(each.reference_identification_qualifier), each.reference_identification)
            for each in loop.ref_segment or []
        ),
        "entities": tuple(
            (_value(each.nm1_segment.entity_identifier_code), each.nm1_segment.name_last_or_organization_name)
            for each in entities
        ),
    }


def _value(each):
    return getattr(each, "value", each)


def _number(each):
    return None if each is None else Decimal(str(each))
