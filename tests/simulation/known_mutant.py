"""A mistake that is made on purpose, to check whether its test notices it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownMutant:
    """A mistake: the file, the correct text, the wrong text, and the test that must fail then."""

    mistake: str
    path: str
    right: str
    wrong: str
    test: str

    def apply(self, source: str) -> str:
        """Return the module's source with the mistake in it.

        Raises:
            ValueError: the correct text is not in the module.
        """
        if self.right not in source:
            raise ValueError(f"{self.path}: there is no `{self.right}` any more")
        return source.replace(self.right, self.wrong)
