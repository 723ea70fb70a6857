"""Patient vignettes, worked out by hand for each row of the labels, independently of the code."""

import pytest

from chalicelib.catalog.labels import load_label_catalog
from chalicelib.domain.eligibility.screen_input import NoTransplantReason
from tests.support.screen_inputs import (
    MET,
    MISSING,
    NOT_MET,
    R_CHOP,
    build_line,
    build_patient,
    list_missing,
    screen_product_rows,
)

ENDED = "2025-05-31"
IN_A_YEAR = "2026-05-31"
A_DAY_LATE = "2026-06-01"

VRD = ("proteasome_inhibitor", "imid", "corticosteroid")
DPD = ("anti_cd38", "imid", "corticosteroid")


def build_first_line(outcome="relapsed", *classes, **days):
    """A first line of therapy, R-CHOP unless other classes are given."""
    return build_line(1, outcome, *(classes or R_CHOP), **days)


TWO_RELAPSES = (build_first_line(), build_line(2, "relapsed", "chemotherapy"))
RELAPSED_IN_TIME = build_first_line(ended_on=ENDED, event_on=IN_A_YEAR)
RELAPSED_LATE = build_first_line(ended_on=ENDED, event_on=A_DAY_LATE)
PRIMARY_REFRACTORY = build_first_line("refractory")

EARLY = [
    ("refractory to R-CHOP", build_patient("LBCL", PRIMARY_REFRACTORY), MET),
    ("relapsed on the last day of the 12 months", build_patient("LBCL", RELAPSED_IN_TIME), MET),
    ("relapsed a day after the 12 months", build_patient("LBCL", RELAPSED_LATE), NOT_MET),
    ("relapsed during treatment", build_patient("LBCL", build_first_line(ended_on=ENDED, event_on="2025-05-01")),
     MET),
    ("end of the first line unknown",
     build_patient("LBCL", build_first_line(event_on=IN_A_YEAR)), MISSING),
    ("date of relapse unknown", build_patient("LBCL", build_first_line(ended_on=ENDED)), MISSING),
    ("in remission after R-CHOP", build_patient("LBCL", build_first_line("complete_response")), NOT_MET),
    ("remission that ended within the year",
     build_patient("LBCL", build_first_line("complete_response", ended_on=ENDED, event_on=IN_A_YEAR)), MET),
    ("rituximab alone as first line",
     build_patient("LBCL", build_first_line("refractory", "anti_cd20")), NOT_MET),
    ("drug classes of the first line unknown", build_patient("LBCL", build_line(1, "refractory")), MISSING),
    ("17 years old", build_patient("LBCL", PRIMARY_REFRACTORY, age=17), NOT_MET),
    ("18 years old", build_patient("LBCL", PRIMARY_REFRACTORY, age=18), MET),
    ("age unknown", build_patient("LBCL", PRIMARY_REFRACTORY, age=None), MISSING),
    ("treatment unknown", build_patient("LBCL", lines=None), MISSING),
    ("never treated", build_patient("LBCL"), NOT_MET),
]  # fmt: skip

NO_TRANSPLANT = [
    ("late relapse, no transplant at this age",
     build_patient("LBCL", RELAPSED_LATE, hsct_eligible=False), MET),
    ("late relapse, a transplant is possible",
     build_patient("LBCL", RELAPSED_LATE, hsct_eligible=True), NOT_MET),
    ("late relapse, transplant question not answered", build_patient("LBCL", RELAPSED_LATE), MISSING),
    ("no transplant, for another reason than age or comorbidity",
     build_patient("LBCL", RELAPSED_LATE, hsct_eligible=False,
             no_transplant_reason=NoTransplantReason.OTHER), NOT_MET),
    ("refractory, no transplant", build_patient("LBCL", PRIMARY_REFRACTORY, hsct_eligible=False), MET),
    ("in remission, no transplant",
     build_patient("LBCL", build_first_line("complete_response"), hsct_eligible=False), NOT_MET),
]  # fmt: skip

THIRD_LINE = [
    ("two lines, relapsed", TWO_RELAPSES, MET),
    ("two lines, the last in remission after an earlier relapse",
     (build_first_line(), build_line(2, "complete_response", "chemotherapy")), MET),
    ("one line", (build_first_line(),), NOT_MET),
    ("two lines, in remission throughout",
     (build_first_line("complete_response"), build_line(2, "complete_response")), NOT_MET),
    ("two lines, outcomes unknown", (build_line(1, None), build_line(2, None)), MISSING),
    ("first line not entered", (build_line(2, "refractory"),), MISSING),
]  # fmt: skip

NOT_PRIMARY_CNS = [
    ("primary CNS lymphoma", build_patient("LBCL", *TWO_RELAPSES, histology="PRIMARY_CNS"), NOT_MET),
    ("histology unknown", build_patient("LBCL", *TWO_RELAPSES, histology=None), MISSING),
    ("histology unknown, no CNS involvement",
     build_patient("LBCL", *TWO_RELAPSES, histology=None, conditions={"cns_involvement": False}), MET),
]  # fmt: skip

CLL = [
    ("a BTK and a BCL-2 inhibitor, one after the other",
     (build_line(1, "relapsed", "btk_inhibitor"), build_line(2, "relapsed", "bcl2_inhibitor")), MET),
    ("both in one of two lines", (build_line(1, "relapsed", "btk_inhibitor", "bcl2_inhibitor"),
                                  build_line(2, "refractory", "anti_cd20")), MET),
    ("no BCL-2 inhibitor",
     (build_line(1, "relapsed", "btk_inhibitor"), build_line(2, "relapsed", "anti_cd20")), NOT_MET),
    ("both, but only one line", (build_line(1, "relapsed", "btk_inhibitor", "bcl2_inhibitor"),), NOT_MET),
    ("drug classes of the second line unknown",
     (build_line(1, "relapsed", "btk_inhibitor"), build_line(2, "relapsed")), MISSING),
]  # fmt: skip

MANTLE = [
    ("two lines including a BTK inhibitor",
     (build_first_line(), build_line(2, "refractory", "btk_inhibitor")), MET),
    ("two lines without a BTK inhibitor",
     (build_first_line(), build_line(2, "refractory", "chemotherapy")), NOT_MET),
    ("one line, a BTK inhibitor", (build_line(1, "refractory", "btk_inhibitor"),), NOT_MET),
    ("two lines with unknown drug classes", (build_line(1), build_line(2)), MISSING),
]  # fmt: skip

RELAPSED_OR_REFRACTORY = [
    ("relapsed once", (build_line(1, "relapsed"),), MET),
    ("refractory", (build_line(1, "refractory"),), MET),
    ("in remission", (build_line(1, "complete_response"),), NOT_MET),
    ("still in the first line", (build_line(1, "ongoing"),), NOT_MET),
    ("outcome unknown", (build_line(1, None),), MISSING),
    ("date of an event, outcome unknown", (build_line(1, None, event_on="2026-01-01"),), MET),
]

ABECMA = [
    ("all three classes in two lines",
     (build_line(1, "relapsed", *VRD), build_line(2, "refractory", *DPD)), MET),
    ("no anti-CD38 antibody", (build_line(1, "relapsed", *VRD), build_line(2, "refractory", *VRD)), NOT_MET),
    ("all three classes in one line", (build_line(1, "refractory", *VRD, *DPD),), NOT_MET),
    ("drug classes of the first line unknown", (build_line(1), build_line(2, "refractory", *DPD)), MISSING),
]  # fmt: skip

LENALIDOMIDE = "Lenalidomide, bortezomib, dexamethasone"

CARVYKTI = [
    ("one line, refractory to lenalidomide by the provider's answer",
     build_patient("MM", build_line(1, "relapsed", *VRD), lenalidomide_refractory=True), MET),
    ("a line with lenalidomide without a response",
     build_patient("MM", build_line(1, "refractory", *VRD, regimen=LENALIDOMIDE)), MET),
    ("a line with lenalidomide with a response, no answer from the provider",
     build_patient("MM", build_line(1, "relapsed", *VRD, regimen=LENALIDOMIDE)), MISSING),
    ("not refractory to lenalidomide",
     build_patient("MM", build_line(1, "relapsed", *VRD), lenalidomide_refractory=False), NOT_MET),
    ("no proteasome inhibitor yet",
     build_patient("MM", build_line(1, "refractory", "imid"), lenalidomide_refractory=True), NOT_MET),
]  # fmt: skip

KYMRIAH_ALL = [
    ("25 years old, second relapse", build_patient("B_ALL", build_line(1), build_line(2), age=25), MET),
    ("26 years old", build_patient("B_ALL", build_line(1), build_line(2), age=26), NOT_MET),
    ("3 years old, refractory", build_patient("B_ALL", build_line(1, "refractory"), age=3), MET),
    ("first relapse", build_patient("B_ALL", build_line(1), age=10), NOT_MET),
    ("refractory once, in remission since",
     build_patient("B_ALL", build_line(1, "refractory"), build_line(2, "complete_response"), age=10), NOT_MET),
    ("second outcome unknown", build_patient("B_ALL", build_line(1), build_line(2, None), age=10), MISSING),
    ("first line not entered", build_patient("B_ALL", build_line(2), age=10), MISSING),
]  # fmt: skip


def for_disease(disease, vignettes):
    """The same lines in patients with one disease."""
    return [(name, build_patient(disease, *lines), result) for name, lines, result in vignettes]


VIGNETTES = {
    "breyanzi-lbcl-2l-early": EARLY,
    "breyanzi-lbcl-2l-no-hsct": NO_TRANSPLANT,
    "breyanzi-lbcl-3l": for_disease("LBCL", THIRD_LINE) + NOT_PRIMARY_CNS,
    "breyanzi-cll": for_disease("CLL_SLL", CLL),
    "breyanzi-fl": for_disease("FL", THIRD_LINE),
    "breyanzi-mcl": for_disease("MCL", MANTLE),
    "breyanzi-mzl": for_disease("MZL", THIRD_LINE),
    "abecma-mm": for_disease("MM", ABECMA),
    "yescarta-lbcl-2l": EARLY,
    "yescarta-lbcl-3l": [
        *for_disease("LBCL", THIRD_LINE),
        ("primary CNS lymphoma, whose limitation was removed", NOT_PRIMARY_CNS[0][1], MET),
    ],
    "yescarta-fl": for_disease("FL", THIRD_LINE),
    "tecartus-mcl": for_disease("MCL", RELAPSED_OR_REFRACTORY),
    "tecartus-all": for_disease("B_ALL", RELAPSED_OR_REFRACTORY),
    "kymriah-all": KYMRIAH_ALL,
    "kymriah-lbcl": for_disease("LBCL", THIRD_LINE) + NOT_PRIMARY_CNS,
    "kymriah-fl": for_disease("FL", THIRD_LINE),
    "carvykti-mm": CARVYKTI,
    "aucatzyl-all": for_disease("B_ALL", RELAPSED_OR_REFRACTORY),
}


@pytest.mark.parametrize(
    ("row_id", "entered", "result"),
    [
        pytest.param(row_id, entered, result, id=f"{row_id}: {name}")
        for row_id, vignettes in VIGNETTES.items()
        for name, entered, result in vignettes
    ],
)
def test_the_check_gives_the_result_of_each_vignette(row_id, entered, result):
    """Each row alone, so that no other row of the product hides its result."""
    assert screen_product_rows(row_id.partition("-")[0], entered)[row_id] is result


def test_every_row_of_the_catalog_has_vignettes_for_all_three_results():
    """Met, not met, and information missing, at least once for every row."""
    shipped = {row.row_id for indication in load_label_catalog().indications for row in indication.rows}

    assert VIGNETTES.keys() == shipped
    for row_id, vignettes in VIGNETTES.items():
        assert {result for _, _, result in vignettes} == {MET, NOT_MET, MISSING}, row_id


def test_a_date_of_relapse_without_a_response_asks_for_the_outcome():
    """Stable disease and a date of relapse contradict each other, so the relapse is undecided and not "no"."""
    lines = (build_first_line(), build_line(2, "stable_disease", event_on="2026-01-05"))

    missing = list_missing("kymriah", build_patient("B_ALL", *lines, age=20))

    assert any(pointer.endswith("/1/response") for pointer in missing)
