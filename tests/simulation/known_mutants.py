"""Mistakes that a good programmer makes in security code and in the order of events, and the test that notices each."""

from tests.simulation.known_mutant import KnownMutant
from tests.simulation.known_mutants_callers import CALLER_MUTANTS
from tests.simulation.known_mutants_documents import DOCUMENT_MUTANTS
from tests.simulation.known_mutants_history import HISTORY_MUTANTS
from tests.simulation.known_mutants_records import RECORD_MUTANTS

KNOWN: tuple[KnownMutant, ...] = (
    *CALLER_MUTANTS,
    *RECORD_MUTANTS,
    *HISTORY_MUTANTS,
    *DOCUMENT_MUTANTS,
)
