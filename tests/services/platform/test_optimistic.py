"""The loop for optimistic writes: it retries conflicts, and only conflicts."""

import pytest

from chalicelib.errors import NotFoundError, UnavailableError
from chalicelib.services.platform.optimistic import MAX_ATTEMPTS, TooManyConflictsError, commit_with_retry
from chalicelib.store.platform.transactions import ConditionFailedError


def make_attempt(*outcomes):
    """An attempt that raises or returns one outcome at a time, and the list of its calls."""
    calls: list[object] = []

    def attempt():
        outcome = outcomes[len(calls)]
        calls.append(outcome)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return attempt, calls


def test_an_attempt_without_a_conflict_runs_once():
    """Its result is returned, also when the result is falsy."""
    for result in ("done", None, False):
        attempt, calls = make_attempt(result, "never")

        assert commit_with_retry(attempt) is result
        assert len(calls) == 1


def test_an_attempt_is_repeated_until_its_commit_meets_no_conflict():
    """The last attempt allowed still counts."""
    conflicts = [ConditionFailedError({"referral": {}})] * (MAX_ATTEMPTS - 1)
    attempt, calls = make_attempt(*conflicts, "done")

    assert commit_with_retry(attempt) == "done"
    assert len(calls) == MAX_ATTEMPTS


def test_too_many_conflicts_end_in_a_busy_error():
    """Callers handle it like any other dependency that is not available."""
    attempt, calls = make_attempt(*[ConditionFailedError({"referral": {}})] * (MAX_ATTEMPTS + 1))

    with pytest.raises(TooManyConflictsError) as error:
        commit_with_retry(attempt)

    assert isinstance(error.value, UnavailableError)
    assert error.value.code == "busy"
    assert len(calls) == MAX_ATTEMPTS


@pytest.mark.parametrize("error", [NotFoundError(), UnavailableError(), KeyError("x")], ids=lambda e: type(e).__name__)
def test_other_errors_are_not_retried(error):
    """A refusal, an outage or a bug is not a conflict."""
    attempt, calls = make_attempt(error, "never")

    with pytest.raises(type(error)):
        commit_with_retry(attempt)

    assert len(calls) == 1
