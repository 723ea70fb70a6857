"""A mistake that is made by hand, to see whether its test notices it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownMutant:
    """A mistake: the file, what stands there, what would, and the test that fails then."""

    mistake: str
    path: str
    right: str
    wrong: str
    test: str

    def apply(self, source: str) -> str:
        """The module with the mistake in it, wherever it can be made.

        Raises:
            ValueError: there is nothing in the module to get wrong this way.
        """
        if self.right not in source:
            raise ValueError(f"{self.path}: there is no `{self.right}` any more")
        return source.replace(self.right, self.wrong)
