"""Patients worked through by hand against each row of the labels, and not from the code."""

import pytest

from chalicelib.catalogue.labels import labels
from chalicelib.domain.eligibility.screen_input import NoTransplantBecause
from tests.support.patients import MET, MISSING, NOT_MET, R_CHOP, line, patient, rows

ENDED = "2025-05-31"
IN_A_YEAR = "2026-05-31"
A_DAY_LATE = "2026-06-01"

VRD = ("proteasome_inhibitor", "imid", "corticosteroid")
DPD = ("anti_cd38", "imid", "corticosteroid")


def first(outcome="relapsed", *classes, **days):
    return line(1, outcome, *(classes or R_CHOP), **days)


TWO_RELAPSES = (first(), line(2, "relapsed", "chemotherapy"))
RELAPSED_IN_TIME = first(ended_on=ENDED, event_on=IN_A_YEAR)
RELAPSED_LATE = first(ended_on=ENDED, event_on=A_DAY_LATE)
PRIMARY_REFRACTORY = first("refractory")

EARLY = [
    ("refractory to R-CHOP", patient("LBCL", PRIMARY_REFRACTORY), MET),
    ("relapsed on the last day of the 12 months", patient("LBCL", RELAPSED_IN_TIME), MET),
    ("relapsed a day after them", patient("LBCL", RELAPSED_LATE), NOT_MET),
    ("relapsed while still treated", patient("LBCL", first(ended_on=ENDED, event_on="2025-05-01")),
     MET),
    ("the end of the first line is not known",
     patient("LBCL", first(event_on=IN_A_YEAR)), MISSING),
    ("the day of relapse is not known", patient("LBCL", first(ended_on=ENDED)), MISSING),
    ("in remission after R-CHOP", patient("LBCL", first("complete_response")), NOT_MET),
    ("a remission that ended within the year",
     patient("LBCL", first("complete_response", ended_on=ENDED, event_on=IN_A_YEAR)), MET),
    ("the first line was rituximab alone",
     patient("LBCL", first("refractory", "anti_cd20")), NOT_MET),
    ("what the first line was is not known", patient("LBCL", line(1, "refractory")), MISSING),
    ("17 years old", patient("LBCL", PRIMARY_REFRACTORY, age=17), NOT_MET),
    ("18 years old", patient("LBCL", PRIMARY_REFRACTORY, age=18), MET),
    ("of unknown age", patient("LBCL", PRIMARY_REFRACTORY, age=None), MISSING),
    ("nothing of the treatment is known", patient("LBCL", lines=None), MISSING),
    ("never treated", patient("LBCL"), NOT_MET),
]  # fmt: skip

NO_TRANSPLANT = [
    ("late relapse, no transplant at this age",
     patient("LBCL", RELAPSED_LATE, hsct_eligible=False), MET),
    ("late relapse, a transplant is possible",
     patient("LBCL", RELAPSED_LATE, hsct_eligible=True), NOT_MET),
    ("late relapse, nobody asked about transplant", patient("LBCL", RELAPSED_LATE), MISSING),
    ("no transplant, for another reason than age or comorbidity",
     patient("LBCL", RELAPSED_LATE, hsct_eligible=False,
             no_transplant_because=NoTransplantBecause.OTHER), NOT_MET),
    ("refractory, no transplant", patient("LBCL", PRIMARY_REFRACTORY, hsct_eligible=False), MET),
    ("in remission, no transplant",
     patient("LBCL", first("complete_response"), hsct_eligible=False), NOT_MET),
]  # fmt: skip

THIRD_LINE = [
    ("two lines, relapsed", TWO_RELAPSES, MET),
    ("two lines, the last in remission after an earlier relapse",
     (first(), line(2, "complete_response", "chemotherapy")), MET),
    ("one line", (first(),), NOT_MET),
    ("two lines, in remission throughout",
     (first("complete_response"), line(2, "complete_response")), NOT_MET),
    ("two lines, how they ended is not known", (line(1, None), line(2, None)), MISSING),
    ("the first line was left out", (line(2, "refractory"),), MISSING),
]  # fmt: skip

NOT_PRIMARY_CNS = [
    ("primary CNS lymphoma", patient("LBCL", *TWO_RELAPSES, histology="PRIMARY_CNS"), NOT_MET),
    ("histology not known", patient("LBCL", *TWO_RELAPSES, histology=None), MISSING),
    ("histology not known, the CNS is free",
     patient("LBCL", *TWO_RELAPSES, histology=None, conditions={"cns_involvement": False}), MET),
]  # fmt: skip

CLL = [
    ("a BTK and a BCL-2 inhibitor, one after the other",
     (line(1, "relapsed", "btk_inhibitor"), line(2, "relapsed", "bcl2_inhibitor")), MET),
    ("both in one line of two", (line(1, "relapsed", "btk_inhibitor", "bcl2_inhibitor"),
                                 line(2, "refractory", "anti_cd20")), MET),
    ("no BCL-2 inhibitor",
     (line(1, "relapsed", "btk_inhibitor"), line(2, "relapsed", "anti_cd20")), NOT_MET),
    ("both, and no other line", (line(1, "relapsed", "btk_inhibitor", "bcl2_inhibitor"),), NOT_MET),
    ("the second line's classes are not known",
     (line(1, "relapsed", "btk_inhibitor"), line(2, "relapsed")), MISSING),
]  # fmt: skip

MANTLE = [
    ("two lines, a BTK inhibitor among them",
     (first(), line(2, "refractory", "btk_inhibitor")), MET),
    ("two lines without one", (first(), line(2, "refractory", "chemotherapy")), NOT_MET),
    ("one line, a BTK inhibitor", (line(1, "refractory", "btk_inhibitor"),), NOT_MET),
    ("two lines of unknown classes", (line(1), line(2)), MISSING),
]  # fmt: skip

RELAPSED_OR_REFRACTORY = [
    ("relapsed once", (line(1, "relapsed"),), MET),
    ("refractory", (line(1, "refractory"),), MET),
    ("in remission", (line(1, "complete_response"),), NOT_MET),
    ("still in the first line", (line(1, "ongoing"),), NOT_MET),
    ("how it went is not known", (line(1, None),), MISSING),
    ("something came back, nobody says what", (line(1, None, event_on="2026-01-01"),), MET),
]

ABECMA = [
    ("all three classes in two lines",
     (line(1, "relapsed", *VRD), line(2, "refractory", *DPD)), MET),
    ("no anti-CD38", (line(1, "relapsed", *VRD), line(2, "refractory", *VRD)), NOT_MET),
    ("all three classes in one line", (line(1, "refractory", *VRD, *DPD),), NOT_MET),
    ("the first line's classes are not known", (line(1), line(2, "refractory", *DPD)), MISSING),
]  # fmt: skip

LENALIDOMIDE = "Lenalidomide, bortezomib, dexamethasone"

CARVYKTI = [
    ("one line, refractory to lenalidomide by the provider's word",
     patient("MM", line(1, "relapsed", *VRD), lenalidomide_refractory=True), MET),
    ("a line with lenalidomide to which there was no response",
     patient("MM", line(1, "refractory", *VRD, regimen=LENALIDOMIDE)), MET),
    ("a line with lenalidomide that helped, and nobody says more",
     patient("MM", line(1, "relapsed", *VRD, regimen=LENALIDOMIDE)), MISSING),
    ("not refractory to lenalidomide",
     patient("MM", line(1, "relapsed", *VRD), lenalidomide_refractory=False), NOT_MET),
    ("no proteasome inhibitor yet",
     patient("MM", line(1, "refractory", "imid"), lenalidomide_refractory=True), NOT_MET),
]  # fmt: skip

KYMRIAH_ALL = [
    ("25 years old, second relapse", patient("B_ALL", line(1), line(2), age=25), MET),
    ("26 years old", patient("B_ALL", line(1), line(2), age=26), NOT_MET),
    ("3 years old, refractory", patient("B_ALL", line(1, "refractory"), age=3), MET),
    ("first relapse", patient("B_ALL", line(1), age=10), NOT_MET),
    ("refractory once, in remission since",
     patient("B_ALL", line(1, "refractory"), line(2, "complete_response"), age=10), NOT_MET),
    ("the second outcome is not known", patient("B_ALL", line(1), line(2, None), age=10), MISSING),
    ("the first line was left out", patient("B_ALL", line(2), age=10), MISSING),
]  # fmt: skip


def of(disease, vignettes):
    """The same lines in patients of one disease."""
    return [(words, patient(disease, *lines), result) for words, lines, result in vignettes]


VIGNETTES = {
    "breyanzi-lbcl-2l-early": EARLY,
    "breyanzi-lbcl-2l-no-hsct": NO_TRANSPLANT,
    "breyanzi-lbcl-3l": of("LBCL", THIRD_LINE) + NOT_PRIMARY_CNS,
    "breyanzi-cll": of("CLL_SLL", CLL),
    "breyanzi-fl": of("FL", THIRD_LINE),
    "breyanzi-mcl": of("MCL", MANTLE),
    "breyanzi-mzl": of("MZL", THIRD_LINE),
    "abecma-mm": of("MM", ABECMA),
    "yescarta-lbcl-2l": EARLY,
    "yescarta-lbcl-3l": [
        *of("LBCL", THIRD_LINE),
        ("primary CNS lymphoma, whose limitation was removed", NOT_PRIMARY_CNS[0][1], MET),
    ],
    "yescarta-fl": of("FL", THIRD_LINE),
    "tecartus-mcl": of("MCL", RELAPSED_OR_REFRACTORY),
    "tecartus-all": of("B_ALL", RELAPSED_OR_REFRACTORY),
    "kymriah-all": KYMRIAH_ALL,
    "kymriah-lbcl": of("LBCL", THIRD_LINE) + NOT_PRIMARY_CNS,
    "kymriah-fl": of("FL", THIRD_LINE),
    "carvykti-mm": CARVYKTI,
    "aucatzyl-all": of("B_ALL", RELAPSED_OR_REFRACTORY),
}


@pytest.mark.parametrize(
    ("row_id", "entered", "result"),
    [
        pytest.param(row_id, entered, result, id=f"{row_id}: {words}")
        for row_id, vignettes in VIGNETTES.items()
        for words, entered, result in vignettes
    ],
)
def test_a_patient_worked_through_by_hand(row_id, entered, result):
    """Each row alone, so that no other row of the product hides it."""
    assert rows(row_id.partition("-")[0], entered)[row_id] is result


def test_every_row_of_the_catalogue_has_its_vignettes():
    """Each of the three results is told at least once of every row."""
    shipped = {row.row_id for indication in labels().indications for row in indication.rows}

    assert VIGNETTES.keys() == shipped
    for row_id, vignettes in VIGNETTES.items():
        assert {result for _, _, result in vignettes} == {MET, NOT_MET, MISSING}, row_id
