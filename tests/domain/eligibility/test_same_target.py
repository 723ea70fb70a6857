"""Earlier therapy with a product's target: how it is found in the lines, and the date of its last dose."""

from datetime import date

import pytest

from chalicelib.catalog import load_products
from chalicelib.catalog.codings import load_codings
from chalicelib.catalog.labels import load_label_catalog
from chalicelib.domain.eligibility.same_target import get_target_class, normalize_name
from chalicelib.domain.eligibility.screen_input import LastDose
from tests.support.screen_inputs import build_line, build_patient, screen_with_catalog


def raise_flag(disease, *lines, **entered):
    """The flag about earlier therapy, or None."""
    outcome = screen_with_catalog(build_patient(disease, *lines, **entered))
    return next((flag for flag in outcome.discuss_with_center if flag.flag == "prior_car_t"), None)


@pytest.mark.parametrize(
    ("line", "value", "last_on"),
    [
        (build_line(1, regimen="R-CHOP then axi-cel", ended_on="2026-03-03"),
         "line 1, axicabtagene ciloleucel, last dose Mar 3, 2026", date(2026, 3, 3)),
        (build_line(1, regimen="axi-cel", started_on="2026-03-01"),
         "line 1, axicabtagene ciloleucel, last dose Mar 1, 2026", date(2026, 3, 1)),
        (build_line(1, "relapsed", "anti_cd19", ended_on="2026-03-03"),
         "line 1, anti-CD19 therapy, last dose Mar 3, 2026", date(2026, 3, 3)),
        (build_line(1, "ongoing", regimen="Blinatumomab"), "line 1, blinatumomab, ongoing", None),
        (build_line(1, regimen="loncastuximab", started_on="2026-03-01"),
         "line 1, loncastuximab tesirine, date of last dose not entered", None),
    ],
)  # fmt: skip
def test_the_flag_has_the_therapy_and_its_last_dose(line, value, last_on):
    """CAR T is given once, so the start of its line is enough; of other drugs only the end is."""
    flag = raise_flag("LBCL", line)

    assert (flag.value, flag.last_on) == (value, last_on)


def test_a_last_dose_that_was_not_entered_is_asked_for():
    flag = raise_flag("LBCL", build_line(1, regimen="loncastuximab"))

    assert [missing.pointer for missing in flag.missing] == ["/clinical/prior_lines/0/ended_on"]


def test_the_latest_of_several_last_doses_counts():
    lines = (
        build_line(1, regimen="belantamab", ended_on="2025-02-01"),
        build_line(2, regimen="teclistamab", ended_on="2026-02-01"),
    )

    assert raise_flag("MM", *lines).last_on == date(2026, 2, 1)


def test_a_bispecific_antibody_that_was_entered_only_as_a_last_dose_counts():
    """As a record system sends it, without lines."""
    dose = LastDose(agent="bcma_bispecific", last_on=date(2026, 2, 1))

    assert raise_flag("MM", lines=None, doses=(dose,)).last_on == date(2026, 2, 1)
    assert raise_flag("LBCL", lines=None, doses=(dose,)) is None
    assert raise_flag("MM", lines=None, doses=(LastDose(agent="bcma_bispecific", given=False),)) is None


def test_an_answer_of_no_does_not_hide_what_the_lines_show():
    """Both are shown. A name in a regimen can be wrong too, so neither is refused."""
    flag = raise_flag("LBCL", build_line(1, regimen="axi-cel"), conditions={"prior_car_t": False})

    assert flag.value.endswith("(the question was answered with no)")


def test_an_answer_of_yes_is_enough():
    assert raise_flag("LBCL", build_line(1), conditions={"prior_car_t": True}).value == "yes"


@pytest.mark.parametrize("regimen", ["R-CHOP", "Maxi-cellcept", "tafamidis", "blinded study drug", "", "lonca-free"])
def test_a_name_counts_only_as_a_whole_word(regimen):
    """`lonca` alone is a word that clinicians write."""
    assert (raise_flag("LBCL", build_line(1, regimen=regimen)) is not None) == (regimen == "lonca-free")


@pytest.mark.parametrize("product", load_products().values(), ids=lambda product: product.product_id)
def test_every_product_is_found_by_brand_generic_and_short_name(product):
    """A product that is added to the catalog is found by its brand and generic name without more work."""
    short = product.generic.partition("cabtagene")[0] if "cabtagene" in product.generic else "tisa"
    for name in (product.name, product.generic, product.generic.split()[0].upper(), f"{short}-cel"):
        therapies = raise_flag(product.diseases[0], build_line(1, regimen=name))
        assert product.generic in therapies.value, name


def test_every_coded_drug_with_a_target_is_found_by_its_name():
    """The drugs of record systems and of the regimens' text are the same."""
    drugs = load_label_catalog().cautions.targeted_drugs
    classes = {get_target_class(drug.target) for drug in drugs}
    names = {s for drug in drugs for s in drug.spellings}
    coded = {drug.name for drug in load_codings().medications.values() if drug.classes & classes}

    assert coded
    assert not [name for name in coded if not any(s in normalize_name(name) for s in names)]
