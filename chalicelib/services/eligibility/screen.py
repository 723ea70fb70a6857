"""The screen, as the API and other systems ask for it. Stores nothing."""

from datetime import date

from chalicelib.catalog.labels import load_label_catalog
from chalicelib.domain.eligibility.input_checks import find_input_faults
from chalicelib.domain.eligibility.screen import ScreenOutcome, screen_patient
from chalicelib.domain.eligibility.screen_input import ScreenInput
from chalicelib.errors import MalformedError


def screen_with_catalog(screen_input: ScreenInput, *, today: date) -> ScreenOutcome:
    """Hold what was entered against the catalogue.

    Raises:
        MalformedError: it contradicts itself; every place is named.
    """
    faults = find_input_faults(screen_input, today=today)
    if faults:
        raise MalformedError("contradictory", "Some entries cannot be true at once.", errors=faults)
    return screen_patient(screen_input, labels=load_label_catalog(), today=today)
