"""The screen, as the API and other systems ask for it. Stores nothing."""

from datetime import date

from chalicelib.catalogue.labels import labels
from chalicelib.domain.eligibility.input_checks import faults_of
from chalicelib.domain.eligibility.screen import Screening, screen
from chalicelib.domain.eligibility.screen_input import ScreenInput
from chalicelib.errors import MalformedError


def screened(entered: ScreenInput, *, today: date) -> Screening:
    """Hold what was entered against the catalogue.

    Raises:
        MalformedError: it contradicts itself; every place is named.
    """
    faults = faults_of(entered, today=today)
    if faults:
        raise MalformedError("contradictory", "Some entries cannot be true at once.", faults=faults)
    return screen(entered, labels=labels(), today=today)
