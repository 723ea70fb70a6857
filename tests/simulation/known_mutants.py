"""Mistakes that a good programmer makes: in security, the order of events, coverage, bookings and documents.

Each has the test that notices it.
"""

from tests.simulation.known_mutant import KnownMutant
from tests.simulation.known_mutants_bookings import BOOKING_MUTANTS
from tests.simulation.known_mutants_callers import CALLER_MUTANTS
from tests.simulation.known_mutants_coverage import COVERAGE_MUTANTS
from tests.simulation.known_mutants_documents import DOCUMENT_MUTANTS
from tests.simulation.known_mutants_history import HISTORY_MUTANTS
from tests.simulation.known_mutants_records import RECORD_MUTANTS

KNOWN: tuple[KnownMutant, ...] = (
    *CALLER_MUTANTS,
    *RECORD_MUTANTS,
    *HISTORY_MUTANTS,
    *COVERAGE_MUTANTS,
    *BOOKING_MUTANTS,
    *DOCUMENT_MUTANTS,
)
