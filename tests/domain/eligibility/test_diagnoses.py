"""The ICD-10-CM codes of blood cancers, and which of them are billable."""

import io
import json
import zipfile
from datetime import date, timedelta

import pytest

from chalicelib.catalog import DISEASES
from chalicelib.catalog.diagnoses import SUBCATEGORIES_BY_DISEASE, list_diseases_for_code, load_code_set
from infra import build_icd10
from infra.world.patients import TREATMENT_COURSES

CODES = load_code_set()


@pytest.mark.parametrize(
    ("code", "is_billable"),
    [
        # C83.39 and C88.4 were billable until October 2024.
        *((code, False) for code in ["C83", "C83.3", "C83.39", "C88.4", "C90.0", "C91"]),
        # Including the remission codes of the 2025 release.
        *((code, True) for code in ["C83.30", "C83.390", "C83.398", "C83.3A", "C88.40", "C90.02", "C91.02", "C82.4A"]),
    ],
)
def test_a_code_is_billable_if_it_has_no_subcodes(code, is_billable):
    """Compared with codes that were checked by hand."""
    assert code in CODES.codes
    assert (code in CODES.billable) is is_billable


@pytest.mark.parametrize(
    ("code", "billable"),
    [
        ("C83.39", ["C83.390", "C83.398"]),
        ("C90.0", ["C90.00", "C90.01", "C90.02"]),
        ("C83.398", ["C83.398"]),
        # The beginning of a code is not a code.
        *((unknown, []) for unknown in ["C", "C8", "C83.Q", "C83.3999", "Z94.84", ""]),
    ],
)
def test_the_billable_codes_below_a_code_are_listed(code, billable):
    """All subcodes and nothing else; none for an unknown code."""
    assert CODES.list_billable_below(code) == billable


def test_the_billable_codes_are_exactly_the_leaves_of_the_tree():
    """Counted the other way: every code is a leaf, or the beginning of another code."""
    inner = {c for c in CODES.codes if any(d != c and d.startswith(c) for d in CODES.codes)}

    assert frozenset(CODES.codes) - inner == CODES.billable


def test_every_disease_of_the_catalog_has_billable_codes_to_choose_from():
    """Each code once."""
    assert SUBCATEGORIES_BY_DISEASE.keys() == set(DISEASES)
    for disease in DISEASES:
        offered = [diagnosis.code for diagnosis in CODES.list_for_disease(disease)]
        assert offered
        assert set(offered) <= CODES.billable
        assert len(offered) == len(set(offered))


def test_every_offered_subcategory_is_in_the_release():
    """A release that drops one must fail here."""
    assert {stem for stems in SUBCATEGORIES_BY_DISEASE.values() for stem in stems} <= CODES.codes.keys()


def test_small_lymphocytic_and_marginal_zone_lymphoma_share_a_subcategory():
    """So a code of C83.0 does not determine the disease."""
    assert list_diseases_for_code("C83.08") == ("CLL_SLL", "MZL")
    assert list_diseases_for_code("C88.40") == ("MZL",)
    assert list_diseases_for_code("C81.00") == ()


@pytest.mark.parametrize("disease", TREATMENT_COURSES)
def test_the_sample_patients_have_codes_that_are_offered(disease):
    """The sample data shows realistic codes."""
    assert disease in list_diseases_for_code(TREATMENT_COURSES[disease].icd10)
    assert TREATMENT_COURSES[disease].icd10 in CODES.billable


def test_the_file_names_its_release():
    """The same release as in the generator."""
    assert CODES.release == build_icd10.RELEASE
    assert "2026" in CODES.release["name"]


def test_the_generator_takes_only_the_block_of_blood_cancers():
    """Subcodes with their parents, in order."""
    tabular = b"""<t><section id="C81-C96"><diag><name>C90</name><desc>b</desc>
      <diag><name>C90.0</name><desc>c</desc></diag></diag>
      <diag><name>C83</name><desc>a</desc></diag></section>
      <section id="D00-D09"><diag><name>D00</name><desc>x</desc></diag></section></t>"""

    document = json.loads(build_icd10.build_document(tabular))

    assert list(document["codes"].items()) == [("C83", "a"), ("C90", "b"), ("C90.0", "c")]
    assert document["release"] == dict(build_icd10.RELEASE)


def build_tabular(version="2027"):
    """A tabular list with one code."""
    code = "<diag><name>C83.3</name><desc>b</desc></diag>"
    return f'<t><version>{version}</version><section id="C81-C96">{code}</section></t>'.encode()


@pytest.mark.parametrize(
    ("effective_on", "name", "next_on"),
    [
        (None, "ICD-10-CM 2027", "2027-04-01"),
        (date(2027, 4, 1), "ICD-10-CM 2027, update of April 1, 2027", "2027-10-01"),
    ],
)
def test_a_release_ends_when_the_next_one_takes_effect(effective_on, name, next_on):
    """A fiscal year begins in October, and has an update in April."""
    release = build_icd10.build_release(build_tabular(), effective_on, package="x.zip")

    assert (release["name"], release["next_on"]) == (name, next_on)
    assert release["effective_on"] == (effective_on or date(2026, 10, 1)).isoformat()


def test_one_command_reads_a_new_release_from_the_official_zip(tmp_path, monkeypatch, capsys):
    """The CDC packs the XML in a zip, which CMS packs in another zip."""
    file = tmp_path / "icd10.json"
    file.write_text(json.dumps({"release": {}, "codes": {"C90": "gone"}}))
    monkeypatch.setattr(build_icd10, "FILE", file)
    inner, outer = io.BytesIO(), tmp_path / "release.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("Table and Index/icd10cm-tabular_-2027.xml", build_tabular())
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("icd10cm-table-and-index-2027.zip", inner.getvalue())

    build_icd10.main(["--from", str(outer)])

    assert json.loads(file.read_text())["codes"] == {"C83.3": "b"}
    assert capsys.readouterr().out.splitlines() == ["ICD-10-CM 2027: 1 codes", "+ C83.3 b", "- C90 gone"]


def test_a_release_without_blood_cancers_changes_nothing(tmp_path, monkeypatch):
    """The wrong file must not empty the list."""
    file = tmp_path / "icd10.json"
    file.write_text('{"release": {}, "codes": {"C90": "kept"}}')
    monkeypatch.setattr(build_icd10, "FILE", file)
    wrong = tmp_path / "wrong.xml"
    wrong.write_bytes(build_tabular().replace(b"C81-C96", b"D00-D09"))

    with pytest.raises(SystemExit, match="no codes of the blood cancers"):
        build_icd10.main(["--from", str(wrong)])
    assert "kept" in file.read_text()


NEXT_ON = date.fromisoformat(CODES.release["next_on"])


def test_an_unknown_code_can_be_newer_only_once_the_release_has_ended():
    assert not CODES.can_be_newer("C83.39A", NEXT_ON - timedelta(days=1))
    assert CODES.can_be_newer("C83.39A", NEXT_ON)


@pytest.mark.parametrize("code", ["C83.3", "C83.390", "C83.Q7", "C83", "C97.0", "D47.Z1", "C83.12345"])
def test_a_known_code_or_one_of_another_form_is_never_a_newer_one(code):
    """C83.3 is known and not billable; C97 is not a blood cancer."""
    assert not CODES.can_be_newer(code, NEXT_ON)
