"""The reviewed codes of electronic health records: each with a source, and with the catalog's own names."""

import json
from datetime import date
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import pytest

from chalicelib import catalog
from chalicelib.catalog.codings import SNOMED, load_codings, load_drug_file, load_file, normalize_system
from chalicelib.catalog.diagnoses import load_code_set
from chalicelib.domain.eligibility.histologies import HISTOLOGIES
from chalicelib.domain.eligibility.screen_input import AgentName, FlagName
from chalicelib.routes.referrals.request_bodies import DrugClass

KINDS = ("diagnoses", "procedures", "conditions", "observations")
USED = {
    "codes": {part["source"] for kind in KINDS for row in load_file()[kind] for part in (row, *row.get("answers", ()))},
    "drugs": {source for row in load_drug_file()["drugs"] for source in row["rxnorm"]},
}
FILES = {"codes": load_file, "drugs": load_drug_file}


@pytest.mark.parametrize("name", FILES)
def test_every_row_has_a_dated_source(name):
    """And every listed source is used."""
    file = FILES[name]()

    assert set(file["sources"]) == USED[name]
    for source in file["sources"].values():
        assert source["title"]
        assert urlsplit(source["url"]).scheme == "https"
        assert date.fromisoformat(source["as_of"]) <= date.fromisoformat(file["reviewed_on"])


@pytest.mark.parametrize(
    "spelled",
    [
        "http://snomed.info/sct",
        "http://snomed.info/sct/",
        "http://snomed.info/sct/731000124108",
        "urn:oid:2.16.840.1.113883.6.96",
        "2.16.840.1.113883.6.96",
    ],
)
def test_a_code_system_has_several_spellings(spelled):
    assert normalize_system(spelled) == SNOMED


def test_no_code_means_two_diagnoses():
    """And each means a disease of the catalog, with a histology of its list."""
    rows = load_file()["diagnoses"]

    assert len({row["snomed"] for row in rows}) == len(rows)
    for row in rows:
        assert row["snomed"].isascii()
        assert row["snomed"].isdigit()
        assert row["histology"] is None or row["histology"] in HISTOLOGIES[row["disease"]]


def test_no_code_means_two_drugs():
    """Otherwise the order of the file would decide."""
    codes = [code for row in load_drug_file()["drugs"] for codes in row["rxnorm"].values() for code in codes]

    assert len(codes) == len(set(codes)) == len(load_codings().medications)
    assert all(code.isascii() and code.isdigit() for code in codes)


def test_drugs_have_known_classes_and_agents():
    """With the API's own spelling."""
    for drug in load_codings().medications.values():
        assert drug.classes
        assert drug.classes <= set(get_args(DrugClass))
        assert drug.agent is None or drug.agent in get_args(AgentName)


def test_conditions_raise_known_flags():
    """No condition in ICD-10-CM is a disease of the catalog."""
    codings = load_codings()

    assert {*codings.conditions, *codings.findings.values()} <= set(get_args(FlagName))
    stems = [stem for stems in codings.conditions.values() for stem in stems]
    assert not any(code.startswith(tuple(stems)) for code in load_code_set().codes)


CAUTIONS = json.loads(Path(catalog.__file__).with_name("cautions.json").read_text("utf-8"))
PRODUCTS = Path(catalog.__file__).with_name("products")
REGIMENS = {"chemoimmunotherapy", "stem_cell_transplant"}
"""Classes of a whole line, which no single drug has."""

CODED = {row["name"] for row in load_drug_file()["drugs"]}
WITHOUT_CODES = {row["name"] for row in load_drug_file()["without_codes"]}

LINES_OF_THERAPY = {
    "lymphoma": "rituximab obinutuzumab cyclophosphamide doxorubicin vincristine prednisone etoposide bendamustine "
    "polatuzumab_vedotin chlorambucil ifosfamide carboplatin cisplatin oxaliplatin cytarabine gemcitabine "
    "dexamethasone methylprednisolone tafasitamab loncastuximab_tesirine lenalidomide epcoritamab glofitamab "
    "mosunetuzumab ibrutinib acalabrutinib zanubrutinib pirtobrutinib venetoclax idelalisib duvelisib copanlisib "
    "tazemetostat brentuximab_vedotin ofatumumab methotrexate",
    "myeloma": "bortezomib carfilzomib ixazomib lenalidomide pomalidomide thalidomide daratumumab isatuximab "
    "elotuzumab dexamethasone melphalan cyclophosphamide selinexor panobinostat belantamab_mafodotin teclistamab "
    "elranatamab talquetamab",
    "leukemia": "vincristine daunorubicin doxorubicin idarubicin prednisone prednisolone dexamethasone asparaginase "
    "pegaspargase cyclophosphamide cytarabine methotrexate mercaptopurine mitoxantrone clofarabine nelarabine "
    "blinatumomab inotuzumab_ozogamicin imatinib dasatinib nilotinib bosutinib ponatinib",
    "conditioning": "fludarabine melphalan busulfan thiotepa carmustine",
    "CAR T": "axicabtagene_ciloleucel brexucabtagene_autoleucel lisocabtagene_maraleucel tisagenlecleucel "
    "obecabtagene_autoleucel idecabtagene_vicleucel ciltacabtagene_autoleucel",
}
"""The drugs of first and later lines of the products' diseases, from the labels and from regimens in use."""


def read_product_files():
    return [json.loads(file.read_text("utf-8")) for file in sorted(PRODUCTS.glob("*.json"))]


def list_rule_classes(node):
    """The drug classes of every rule in a file of the catalog."""
    if isinstance(node, list):
        return {name for each in node for name in list_rule_classes(each)}
    if not isinstance(node, dict):
        return set()
    here = {name for key in ("classes", "line_class") for name in node.get(key, ()) if isinstance(name, str)}
    return here | {name for each in node.values() for name in list_rule_classes(each)}


def test_every_drug_class_that_a_rule_names_has_a_drug():
    """The rules of labels, and those of washouts."""
    drugs = load_codings().medications.values()
    named = list_rule_classes([product["indications"] for product in read_product_files()])

    assert {"anti_cd38", "btk_inhibitor", "bcl2_inhibitor", "imid"} <= named
    assert (named | list_rule_classes(CAUTIONS["washouts"])) - REGIMENS <= {name for d in drugs for name in d.classes}


def test_every_washout_has_a_coded_drug_or_says_why_not():
    agents = {drug.agent for drug in load_codings().medications.values()}

    missing = {w["agent"].replace("_", " ") for w in CAUTIONS["washouts"] if w["agent"] not in agents}
    assert missing == {"donor lymphocytes", "radiotherapy"}
    assert missing <= WITHOUT_CODES


@pytest.mark.parametrize("disease", LINES_OF_THERAPY)
def test_the_drugs_of_lines_of_therapy_are_coded(disease):
    assert {name.replace("_", " ") for name in LINES_OF_THERAPY[disease].split()} <= CODED


def test_drugs_with_a_target_are_coded_or_listed_without_a_code():
    """`without_codes` has no drug that has codes, and says why for each."""
    targeted = {drug["name"] for drug in CAUTIONS["targeted_drugs"]}

    assert targeted <= CODED | WITHOUT_CODES
    assert not CODED & WITHOUT_CODES
    assert all(row["why"] for row in load_drug_file()["without_codes"])


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("11202", "vincristine"),
        ("1863354", "vincristine"),
        ("1747556", "venetoclax"),
        ("1747561", "venetoclax"),
        ("1369713", "pomalidomide"),
        ("1369726", "pomalidomide"),
        ("2619438", "teclistamab"),
        ("2639786", "glofitamab"),
        ("1987407", "axicabtagene ciloleucel"),
        ("5650", "idarubicin"),
        ("103", "mercaptopurine"),
        ("2629338", "pirtobrutinib"),
    ],
)
def test_ingredients_and_clinical_drugs_are_the_same_drug(code, name):
    """Two public copies of RxNorm give these codes the same name."""
    assert load_codings().medications[code].name == name
