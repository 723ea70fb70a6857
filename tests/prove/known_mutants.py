"""Mistakes that a good programmer makes in security code, and the test that notices each."""

from tests.prove.known_of_callers import OF_CALLERS
from tests.prove.known_of_records import OF_RECORDS
from tests.prove.mistakes import KnownMutant

KNOWN: tuple[KnownMutant, ...] = (*OF_CALLERS, *OF_RECORDS)
