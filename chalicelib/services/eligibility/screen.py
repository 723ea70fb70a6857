"""The eligibility check, for the API and for health record systems. It saves nothing."""

from datetime import date

from chalicelib.catalog.labels import load_label_catalog
from chalicelib.domain.eligibility.input_checks import find_input_faults
from chalicelib.domain.eligibility.screen import ScreenOutcome, screen_patient
from chalicelib.domain.eligibility.screen_input import ScreenInput
from chalicelib.errors import MalformedError


def screen_with_catalog(screen_input: ScreenInput, *, today: date) -> ScreenOutcome:
    """Check what was entered against the product labels of the catalog.

    Raises:
        MalformedError: entries contradict each other; each place is named.
    """
    faults = find_input_faults(screen_input, today=today)
    if faults:
        raise MalformedError(
            "contradictory", "Some entries contradict each other. Check the marked fields.", errors=faults
        )
    return screen_patient(screen_input, labels=load_label_catalog(), today=today)
