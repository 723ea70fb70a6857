"""The check of a histology against the list of its disease, when a practice enters or changes it."""

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.eligibility.histologies import HISTOLOGY_NAMES, NOT_LISTED, is_listed
from chalicelib.errors import FieldError, MalformedError


def require_listed_histology(details: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Check that a histology is in the list of its disease. What an earlier release stored can stay.

    Args:
        details: The sections of the referral as they will be stored.
        before: The sections as they are stored; empty for a new referral.

    Raises:
        MalformedError: the code is not in the list.
    """
    disease, histology = _read_clinical(details)
    if histology is None or is_listed(disease, histology):
        return
    old_disease, old_histology = _read_clinical(before)
    is_unchanged = histology == old_histology and (histology not in HISTOLOGY_NAMES or disease == old_disease)
    if not is_unchanged:
        error = FieldError("/clinical/histology", "not_listed", NOT_LISTED)
        raise MalformedError("histology_not_listed", NOT_LISTED, errors=[error])


def _read_clinical(details: Mapping[str, Any]) -> tuple[str | None, str | None]:
    clinical = details.get("clinical") or {}
    return clinical.get("disease"), clinical.get("histology")
