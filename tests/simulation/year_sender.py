"""Sends what people do in a year until it is answered, and compares the response with the expected one."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from chalicelib.errors import ApiError, UnavailableError
from tests.simulation.year_reporter import TRIES
from tests.support import faults
from tests.support.faults import FaultPlan, SimulatedCrash

DONE = "done"
Expected = str | Callable[[], str]


@dataclass
class YearSender:
    """Sends requests of people.

    Attributes:
        plan: The faults that the next requests meet.
        wrong: Responses that must have been other ones.
        answered: How often each response came.
        met: How many faults were met.
    """

    plan: FaultPlan = faults.plan_never
    wrong: list[str] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)
    met: int = 0

    def expect(
        self, verdict: Expected, name: str, send: Callable[[], object], *, done_before: str | None = None
    ) -> str | None:
        """Send until there is a response. Return the verdict that was expected; None if the response is another one.

        Args:
            verdict: The code of the response, or `done`. If it depends on what happens meanwhile, a function.
            name: Who does what, for people.
            send: Sends the request once.
            done_before: The code that also means `done` if an earlier try had no response.
        """
        answer = self.send(send, done_before=done_before)
        expected = verdict() if callable(verdict) else verdict
        self.answered[f"{name.rpartition(' ')[2]} {expected}"] += 1
        if answer != (DONE if expected == "unchanged" else expected):
            self.wrong.append(f"{name} is answered {answer}, and not {expected}")
            return None
        return expected

    def send(self, send: Callable[[], object], *, done_before: str | None = None) -> str:
        """Send until there is a response, and return its code, or `done`."""
        for n in range(TRIES):
            with faults.inject_faults(self.plan) as calls:
                try:
                    send()
                except (SimulatedCrash, UnavailableError):
                    continue
                except ApiError as e:
                    return DONE if n and e.code == done_before else e.code
                finally:
                    self.met += calls.count_faults
            return DONE
        return "nothing"
