"""Whole patients: what each product of the disease shows, worked out by hand from the labels.

The expected results were written from the indications of the seven labels, without running the check.
Each patient is one edge: the last day of a period, a missing answer, a histology that a label does not
name, earlier therapy with the same target.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import pytest

from chalicelib.catalog.labels import load_label_catalog
from chalicelib.domain.eligibility.screen import LabelNote, ScreenResult, screen_patient
from chalicelib.domain.eligibility.screen_input import NoTransplantReason, ScreenInput
from tests.support.screen_inputs import (
    MET,
    MISSING,
    NOT_MET,
    R_CHOP,
    TODAY,
    build_line,
    build_patient,
    screen_with_catalog,
)

HISTOLOGY, SAME_TARGET = "histology_not_named", "prior_same_target"

LBCL = ("breyanzi", "kymriah", "yescarta")
MM = ("abecma", "carvykti")
B_ALL = ("aucatzyl", "kymriah", "tecartus")

VRD = ("proteasome_inhibitor", "imid", "corticosteroid")
DPD = ("anti_cd38", "imid", "corticosteroid")

ENDED, IN_A_YEAR, A_DAY_LATE = "2025-05-31", "2026-05-31", "2026-06-01"


class Vignette(NamedTuple):
    """A patient, the result of each product, and what to discuss: per product, and as flags."""

    name: str
    patient: ScreenInput
    results: Mapping[str, ScreenResult]
    discuss: Mapping[str, set[str]] = {}
    flags: frozenset[str] = frozenset()


def of(breyanzi, kymriah, yescarta):
    """The results of the three products for LBCL and FL."""
    return {"breyanzi": breyanzi, "kymriah": kymriah, "yescarta": yescarta}


def mantle(breyanzi, tecartus):
    return {"breyanzi": breyanzi, "tecartus": tecartus}


def myeloma(abecma, carvykti):
    return {"abecma": abecma, "carvykti": carvykti}


def leukemia(aucatzyl, kymriah, tecartus):
    return {"aucatzyl": aucatzyl, "kymriah": kymriah, "tecartus": tecartus}


def each(products, *kinds):
    """The same points to discuss for several products."""
    return {product: set(kinds) for product in products}


def first(outcome="relapsed", *classes, **given):
    return build_line(1, outcome, *(classes or R_CHOP), **given)


def second(outcome="relapsed", *classes, **given):
    return build_line(2, outcome, *(classes or ("chemotherapy",)), **given)


TWO = (first(), second())
LATE = first(ended_on=ENDED, event_on=A_DAY_LATE)
CAR_T_FLAG = frozenset({"prior_car_t"})

LARGE_B_CELL = [
    Vignette("refractory to R-CHOP", build_patient("LBCL", first("refractory")), of(MET, NOT_MET, MET)),
    Vignette("relapse on the last day of 12 months",
             build_patient("LBCL", first(ended_on=ENDED, event_on=IN_A_YEAR)), of(MET, NOT_MET, MET)),
    Vignette("relapse a day later, transplant possible",
             build_patient("LBCL", LATE, hsct_eligible=True), of(NOT_MET, NOT_MET, NOT_MET)),
    Vignette("relapse a day later, no transplant because of age",
             build_patient("LBCL", LATE, hsct_eligible=False), of(MET, NOT_MET, NOT_MET)),
    Vignette("relapse a day later, no transplant for another reason",
             build_patient("LBCL", LATE, hsct_eligible=False, no_transplant_reason=NoTransplantReason.OTHER),
             of(NOT_MET, NOT_MET, NOT_MET)),
    Vignette("relapse a day later, transplant not answered",
             build_patient("LBCL", LATE), of(MISSING, NOT_MET, NOT_MET)),
    Vignette("date of relapse not entered, transplant possible",
             build_patient("LBCL", first(ended_on=ENDED), hsct_eligible=True), of(MISSING, NOT_MET, MISSING)),
    Vignette("still in first line",
             build_patient("LBCL", first("ongoing"), hsct_eligible=False), of(NOT_MET, NOT_MET, NOT_MET)),
    Vignette("never treated", build_patient("LBCL"), of(NOT_MET, NOT_MET, NOT_MET)),
    Vignette("lines not entered", build_patient("LBCL", lines=None), of(MISSING, MISSING, MISSING)),
    Vignette("rituximab alone, refractory",
             build_patient("LBCL", first("refractory", "anti_cd20"), hsct_eligible=False),
             of(NOT_MET, NOT_MET, NOT_MET)),
    Vignette("two lines, DLBCL NOS", build_patient("LBCL", *TWO), of(MET, MET, MET)),
    Vignette("two lines, 17 years old", build_patient("LBCL", *TWO, age=17), of(NOT_MET, NOT_MET, NOT_MET)),
    Vignette("two lines, 18 years old", build_patient("LBCL", *TWO, age=18), of(MET, MET, MET)),
    Vignette("two lines, age not entered",
             build_patient("LBCL", *TWO, age=None), of(MISSING, MISSING, MISSING)),
    Vignette("high-grade", build_patient("LBCL", *TWO, histology="HIGH_GRADE"), of(MET, MET, MET)),
    Vignette("transformed from follicular lymphoma",
             build_patient("LBCL", *TWO, histology="DLBCL_FROM_FL"), of(MET, MET, MET)),
    Vignette("transformed from another indolent lymphoma: only Breyanzi names it",
             build_patient("LBCL", *TWO, histology="DLBCL_TRANSFORMED"), of(MET, MET, MET),
             each(("kymriah", "yescarta"), HISTOLOGY)),
    Vignette("primary mediastinal: Kymriah does not name it",
             build_patient("LBCL", *TWO, histology="PMBCL"), of(MET, MET, MET), each(("kymriah",), HISTOLOGY)),
    Vignette("grade 3B: only Breyanzi names it",
             build_patient("LBCL", *TWO, histology="FL_3B"), of(MET, MET, MET),
             each(("kymriah", "yescarta"), HISTOLOGY)),
    Vignette("Richter transformation: no label names it",
             build_patient("LBCL", *TWO, histology="RICHTER"), of(MET, MET, MET), each(LBCL, HISTOLOGY)),
    Vignette("T-cell rich: no label names it",
             build_patient("LBCL", *TWO, histology="T_CELL_RICH"), of(MET, MET, MET), each(LBCL, HISTOLOGY)),
    Vignette("another histology",
             build_patient("LBCL", *TWO, histology="OTHER"), of(MET, MET, MET), each(LBCL, HISTOLOGY)),
    Vignette("free text of an earlier release",
             build_patient("LBCL", *TWO, histology="GCB_subtype"), of(MET, MET, MET), each(LBCL, HISTOLOGY)),
    Vignette("primary CNS lymphoma, without an answer about the CNS",
             build_patient("LBCL", *TWO, histology="PRIMARY_CNS"), of(NOT_MET, NOT_MET, MET),
             each(LBCL, HISTOLOGY), frozenset({"cns_involvement"})),
    Vignette("primary CNS lymphoma as an earlier release wrote it",
             build_patient("LBCL", *TWO, histology="pcnsl"), of(NOT_MET, NOT_MET, MET),
             each(LBCL, HISTOLOGY), frozenset({"cns_involvement"})),
    Vignette("histology unknown to the clinic",
             build_patient("LBCL", *TWO, histology="UNKNOWN"), of(MISSING, MISSING, MET)),
    Vignette("histology unknown, no CNS involvement",
             build_patient("LBCL", *TWO, histology="UNKNOWN", conditions={"cns_involvement": False}),
             of(MET, MET, MET)),
    Vignette("axi-cel in second line, by class and name",
             build_patient("LBCL", first(), second("relapsed", "anti_cd19", regimen="axi-cel")),
             of(MET, MET, MET), each(LBCL, SAME_TARGET), CAR_T_FLAG),
    Vignette("Yescarta by its brand, without a class",
             build_patient("LBCL", first(), build_line(2, "relapsed", regimen="YESCARTA (2024)")),
             of(MET, MET, MET), each(LBCL, SAME_TARGET), CAR_T_FLAG),
    Vignette("tafasitamab and lenalidomide",
             build_patient("LBCL", first(), second("refractory", "imid", regimen="Tafasitamab-lenalidomide")),
             of(MET, MET, MET), each(LBCL, SAME_TARGET), CAR_T_FLAG),
    Vignette("glofitamab has another target",
             build_patient("LBCL", first(), second("refractory", "bispecific_antibody", regimen="glofitamab")),
             of(MET, MET, MET)),
]  # fmt: skip

INDOLENT = [
    Vignette("FL after two lines", build_patient("FL", *TWO), of(MET, MET, MET)),
    Vignette("FL after one line", build_patient("FL", first()), of(NOT_MET, NOT_MET, NOT_MET)),
    Vignette("FL after two lines, in remission",
             build_patient("FL", first("complete_response"), second("complete_response")),
             of(NOT_MET, NOT_MET, NOT_MET)),
    Vignette("FL, histology unknown", build_patient("FL", *TWO, histology="UNKNOWN"), of(MET, MET, MET)),
    Vignette("FL grade 3A", build_patient("FL", *TWO, histology="FL_3A"), of(MET, MET, MET)),
    Vignette("FL grade 3B, which Breyanzi names with large B-cell lymphoma",
             build_patient("FL", *TWO, histology="FL_3B"), of(MET, MET, MET), each(LBCL, HISTOLOGY)),
    Vignette("FL, a code that is in no list",
             build_patient("FL", *TWO, histology="NONSENSE"), of(MET, MET, MET), each(LBCL, HISTOLOGY)),
    Vignette("MZL after two lines", build_patient("MZL", *TWO), {"breyanzi": MET}),
    Vignette("splenic MZL after one line",
             build_patient("MZL", first(), histology="SPLENIC_MZL"), {"breyanzi": NOT_MET}),
    Vignette("MCL, two lines with a BTK inhibitor",
             build_patient("MCL", first(), second("refractory", "btk_inhibitor")), mantle(MET, MET)),
    Vignette("MCL, blastoid",
             build_patient("MCL", first(), second("refractory", "btk_inhibitor"), histology="MCL_BLASTOID"),
             mantle(MET, MET)),
    Vignette("MCL, one line: a BTK inhibitor",
             build_patient("MCL", first("refractory", "btk_inhibitor")), mantle(NOT_MET, MET)),
    Vignette("MCL, two lines without a BTK inhibitor", build_patient("MCL", *TWO), mantle(NOT_MET, MET)),
    Vignette("MCL, drug classes not entered",
             build_patient("MCL", build_line(1), build_line(2)), mantle(MISSING, MET)),
    Vignette("MCL, in remission after one line",
             build_patient("MCL", first("complete_response")), mantle(NOT_MET, NOT_MET)),
    Vignette("CLL with a BTK and a BCL-2 inhibitor",
             build_patient("CLL_SLL", first("relapsed", "btk_inhibitor"), second("relapsed", "bcl2_inhibitor")),
             {"breyanzi": MET}),
    Vignette("SLL without a BCL-2 inhibitor",
             build_patient("CLL_SLL", first("relapsed", "btk_inhibitor"), second("relapsed", "anti_cd20"),
                           histology="SLL"), {"breyanzi": NOT_MET}),
    Vignette("Richter transformation filed under CLL",
             build_patient("CLL_SLL", first("relapsed", "btk_inhibitor"), second("relapsed", "bcl2_inhibitor"),
                           histology="RICHTER"), {"breyanzi": MET}, each(("breyanzi",), HISTOLOGY)),
]  # fmt: skip

MYELOMA = [
    Vignette("triple-class exposed after two lines, refractory to lenalidomide",
             build_patient("MM", build_line(1, "relapsed", *VRD), build_line(2, "refractory", *DPD),
                           lenalidomide_refractory=True), myeloma(MET, MET)),
    Vignette("one line, refractory to lenalidomide",
             build_patient("MM", build_line(1, "relapsed", *VRD), lenalidomide_refractory=True),
             myeloma(NOT_MET, MET)),
    Vignette("two lines, not refractory to lenalidomide",
             build_patient("MM", build_line(1, "relapsed", *VRD), build_line(2, "refractory", *DPD),
                           lenalidomide_refractory=False), myeloma(MET, NOT_MET)),
    Vignette("two lines, lenalidomide not answered",
             build_patient("MM", build_line(1, "relapsed", *VRD), build_line(2, "refractory", *DPD)),
             myeloma(MET, MISSING)),
    Vignette("no anti-CD38 antibody",
             build_patient("MM", build_line(1, "relapsed", *VRD), build_line(2, "refractory", *VRD),
                           lenalidomide_refractory=True), myeloma(NOT_MET, MET)),
    Vignette("belantamab by class, then teclistamab by name",
             build_patient("MM", build_line(1, "relapsed", *VRD), build_line(2, "refractory", *DPD),
                           build_line(3, "relapsed", "anti_bcma", regimen="BVd"),
                           build_line(4, "relapsed", regimen="Teclistamab-cqyv"), lenalidomide_refractory=True),
             myeloma(MET, MET), each(MM, SAME_TARGET), CAR_T_FLAG),
    Vignette("talquetamab has another target",
             build_patient("MM", build_line(1, "relapsed", *VRD),
                           build_line(2, "refractory", *DPD, "bispecific_antibody", regimen="Tal-D-Pd, talquetamab"),
                           lenalidomide_refractory=True), myeloma(MET, MET)),
    Vignette("CAR T with another target: a flag, and nothing about the target",
             build_patient("MM", build_line(1, "relapsed", *VRD), build_line(2, "refractory", *DPD),
                           build_line(3, "relapsed", regimen="brexu-cel for an earlier lymphoma"),
                           lenalidomide_refractory=True), myeloma(MET, MET), {}, CAR_T_FLAG),
    Vignette("plasma cell leukemia",
             build_patient("MM", build_line(1, "relapsed", *VRD), build_line(2, "refractory", *DPD),
                           lenalidomide_refractory=True, histology="PLASMA_CELL_LEUKEMIA"),
             myeloma(MET, MET), each(MM, HISTOLOGY)),
]  # fmt: skip

LEUKEMIA = [
    Vignette("10 years old, second relapse",
             build_patient("B_ALL", build_line(1), build_line(2), age=10), leukemia(NOT_MET, MET, NOT_MET)),
    Vignette("10 years old, first relapse",
             build_patient("B_ALL", build_line(1), age=10), leukemia(NOT_MET, NOT_MET, NOT_MET)),
    Vignette("25 years old, refractory",
             build_patient("B_ALL", build_line(1, "refractory"), age=25), leukemia(MET, MET, MET)),
    Vignette("26 years old, refractory",
             build_patient("B_ALL", build_line(1, "refractory"), age=26), leukemia(MET, NOT_MET, MET)),
    Vignette("18 years old, first relapse",
             build_patient("B_ALL", build_line(1), age=18), leukemia(MET, NOT_MET, MET)),
    Vignette("17 years old, second relapse",
             build_patient("B_ALL", build_line(1), build_line(2), age=17), leukemia(NOT_MET, MET, NOT_MET)),
    Vignette("in remission",
             build_patient("B_ALL", build_line(1, "complete_response"), age=30), leukemia(NOT_MET, NOT_MET, NOT_MET)),
    Vignette("blinatumomab before",
             build_patient("B_ALL", build_line(1),
                           build_line(2, "refractory", "anti_cd19", "bispecific_antibody", regimen="blinatumomab"),
                           age=40), leukemia(MET, NOT_MET, MET), each(B_ALL, SAME_TARGET), CAR_T_FLAG),
    Vignette("lymphoblastic lymphoma, which no label names",
             build_patient("B_ALL", build_line(1), build_line(2), age=20, histology="B_LYMPHOBLASTIC_LYMPHOMA"),
             leukemia(MET, MET, MET), each(B_ALL, HISTOLOGY)),
]  # fmt: skip

VIGNETTES = [*LARGE_B_CELL, *INDOLENT, *MYELOMA, *LEUKEMIA]


@pytest.mark.parametrize("vignette", VIGNETTES, ids=lambda vignette: vignette.name)
def test_a_patient_gets_the_results_and_the_points_to_discuss(vignette):
    """For every product of the disease; what is not listed here must not appear."""
    outcome = screen_with_catalog(vignette.patient)

    assert {each.product_id: each.result for each in outcome.results} == dict(vignette.results)
    points = {result.product_id: {point.kind.value for point in result.discuss} for result in outcome.results}
    assert {product: kinds for product, kinds in points.items() if kinds} == dict(vignette.discuss)
    assert {flag.flag for flag in outcome.discuss_with_center} == vignette.flags


def test_there_are_more_than_forty_patients_of_all_diseases():
    assert len(VIGNETTES) > 40
    assert {vignette.patient.disease for vignette in VIGNETTES} == {
        "LBCL",
        "FL",
        "MZL",
        "MCL",
        "CLL_SLL",
        "MM",
        "B_ALL",
    }


def test_a_note_of_the_label_travels_with_its_result():
    """To every check of that indication, met or not."""
    labels = load_label_catalog()
    note = LabelNote(text="Ask about the trial.", source=labels.indications[0].source)
    noted = replace(labels, indications=tuple(replace(each, notes=(note,)) for each in labels.indications))

    outcome = screen_patient(build_patient("MM"), labels=noted, today=TODAY)

    assert [result.notes for result in outcome.results] == [(note,), (note,)]
