"""The histologies of each disease, as a pathology report names them: the codes of both forms and of the API.

`OTHER` is a histology that is not listed; `UNKNOWN` says that nobody knows it, and is read as "not entered".
Rows of earlier releases have codes that are not listed here. They stay readable, as words.

Source: the entities of the WHO classification of haematolymphoid tumours (5th edition, 2022) and of the
International Consensus Classification (2022), reduced to what US labels of CAR T distinguish
(catalog, read by 2026-11-29) and what a pathology report usually says.
"""

from collections.abc import Mapping

OTHER = "OTHER"
UNKNOWN = "UNKNOWN"
PRIMARY_CNS = "PRIMARY_CNS"

_LAST: Mapping[str, str] = {OTHER: "Other", UNKNOWN: "Unknown"}

HISTOLOGIES: Mapping[str, Mapping[str, str]] = {
    "LBCL": {
        "DLBCL_NOS": "DLBCL, not otherwise specified",
        "DLBCL_FROM_FL": "DLBCL transformed from follicular lymphoma",
        "DLBCL_TRANSFORMED": "DLBCL transformed from indolent lymphoma",
        "HIGH_GRADE": "High-grade B-cell lymphoma",
        "PMBCL": "Primary mediastinal large B-cell lymphoma (PMBCL)",
        "FL_3B": "Follicular lymphoma, grade 3B",
        "T_CELL_RICH": "T-cell/histiocyte-rich large B-cell lymphoma",
        "EBV_POSITIVE": "EBV-positive DLBCL",
        "RICHTER": "Richter transformation of CLL or SLL",
        PRIMARY_CNS: "Primary CNS lymphoma",
        **_LAST,
    },
    "FL": {
        "FL_1_2": "Follicular lymphoma, grade 1 or 2",
        "FL_3A": "Follicular lymphoma, grade 3A",
        "FL_3B": "Follicular lymphoma, grade 3B",
        "FL_NOT_GRADED": "Follicular lymphoma, not graded",
        **_LAST,
    },
    "MCL": {
        "MCL_CLASSIC": "Mantle cell lymphoma, classic",
        "MCL_BLASTOID": "Mantle cell lymphoma, blastoid or pleomorphic",
        **_LAST,
    },
    "MZL": {
        "NODAL_MZL": "Nodal marginal zone lymphoma",
        "EXTRANODAL_MZL": "Extranodal marginal zone lymphoma (MALT)",
        "SPLENIC_MZL": "Splenic marginal zone lymphoma",
        **_LAST,
    },
    "CLL_SLL": {
        "CLL": "Chronic lymphocytic leukemia (CLL)",
        "SLL": "Small lymphocytic lymphoma (SLL)",
        "RICHTER": "Richter transformation of CLL or SLL",
        **_LAST,
    },
    "MM": {
        "MULTIPLE_MYELOMA": "Multiple myeloma",
        "LIGHT_CHAIN_MYELOMA": "Light chain multiple myeloma",
        "NON_SECRETORY_MYELOMA": "Nonsecretory multiple myeloma",
        "MYELOMA_WITH_AMYLOIDOSIS": "Multiple myeloma with AL amyloidosis",
        "PLASMA_CELL_LEUKEMIA": "Plasma cell leukemia",
        **_LAST,
    },
    "B_ALL": {
        "B_ALL_PH_NEGATIVE": "B-ALL, Philadelphia chromosome negative",
        "B_ALL_PH_POSITIVE": "B-ALL, Philadelphia chromosome positive",
        "B_LYMPHOBLASTIC_LYMPHOMA": "B-lymphoblastic lymphoma",
        "MIXED_PHENOTYPE": "Mixed phenotype acute leukemia",
        **_LAST,
    },
}
"""Code and name of each histology, by disease, in the order of the forms."""

HISTOLOGY_NAMES: Mapping[str, str] = {code: name for names in HISTOLOGIES.values() for code, name in names.items()}
"""The name of each code. No code has two names."""

NOT_THE_DISEASE_ITSELF: frozenset[tuple[str, str]] = frozenset(
    {
        ("FL", "FL_3B"),
        ("CLL_SLL", "RICHTER"),
        ("MM", "MYELOMA_WITH_AMYLOIDOSIS"),
        ("MM", "PLASMA_CELL_LEUKEMIA"),
        ("B_ALL", "B_LYMPHOBLASTIC_LYMPHOMA"),
        ("B_ALL", "MIXED_PHENOTYPE"),
    }
)
"""Histologies that a label does not name when it names only the disease: another entity of the classifications,
or one that another indication names (grade 3B, Richter transformation). Reports file them under the disease."""

_EARLIER_PRIMARY_CNS = frozenset({"PRIMARY_CNS_LYMPHOMA", "PCNSL"})
"""Codes that earlier releases accepted for primary CNS lymphoma."""


NOT_LISTED = "This histology is not in the list of the disease. Choose one of the list, or Other."


def is_listed(disease: str | None, histology: str) -> bool:
    """Whether a code is in the list of the disease, or of any disease if the disease is not known yet."""
    return histology in (HISTOLOGIES.get(disease, {}) if disease else HISTOLOGY_NAMES)


def is_primary_cns(histology: str | None) -> bool:
    """Whether this is primary central nervous system lymphoma."""
    code = (histology or "").upper()
    return code == PRIMARY_CNS or code in _EARLIER_PRIMARY_CNS


def is_named_by_label(disease: str, histology: str, named: frozenset[str]) -> bool:
    """Whether a label names this histology.

    Args:
        disease: The disease of the indication.
        histology: An entered code, listed or of an earlier release; not `UNKNOWN`.
        named: The histologies that the indication lists; empty if it names only the disease.
    """
    if named:
        return histology in named
    is_known = is_listed(disease, histology) and histology != OTHER
    return is_known and (disease, histology) not in NOT_THE_DISEASE_ITSELF


def format_histology(histology: str) -> str:
    """The name of a histology; the code of an earlier release as words."""
    return HISTOLOGY_NAMES.get(histology) or histology.replace("_", " ")
