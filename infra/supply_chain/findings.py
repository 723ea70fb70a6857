"""A finding of a check, and the findings that were reviewed."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

REVIEWED = Path(__file__).with_name("reviewed.toml")


@dataclass(frozen=True, slots=True)
class ReviewFinding:
    """What a check found: which rule, and where. `place` is a path, a package or a resource."""

    check: str
    rule: str
    place: str

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.check}: {self.rule}: {self.place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Findings that are accepted, and why. `place` is a pattern as of a shell."""

    check: str
    rule: str
    place: str
    reason: str

    def covers(self, finding: ReviewFinding) -> bool:
        """Whether it is about this finding."""
        same_rule = (self.check, self.rule) == (finding.check, finding.rule)
        return same_rule and fnmatchcase(finding.place, self.place)


def load_reviews(path: Path = REVIEWED) -> Sequence[Review]:
    """Load the reviewed findings."""
    return [Review(**entry) for entry in tomllib.loads(path.read_text())["review"]]


def list_problems(findings: Iterable[ReviewFinding], reviews: Sequence[Review], checks: Iterable[str]) -> Sequence[str]:
    """List the findings without a review, and the reviews of these checks without a finding or a reason."""
    found = sorted(set(findings), key=str)
    new = [f"{each} was not reviewed" for each in found if not any(review.covers(each) for review in reviews)]
    own = [review for review in reviews if review.check in set(checks)]
    stale = [review for review in own if not any(review.covers(each) for each in found)]
    empty = [review for review in own if len(review.reason.split()) < 4]
    return [
        *new,
        *(f"{each.check}: {each.rule}: {each.place} is reviewed, but not found any more" for each in stale),
        *(f"{each.check}: {each.rule}: {each.place} has no reason" for each in empty),
    ]
