"""A mistake that is made on purpose, to see whether its test fails."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownMutant:
    """A mistake: the file, the right code, the wrong code, and the test that must fail."""

    mistake: str
    path: str
    right: str
    wrong: str
    test: str

    def apply(self, source: str) -> str:
        """Return the module with the mistake in every place where it can be made.

        Raises:
            ValueError: the module does not contain the right code.
        """
        if self.right not in source:
            raise ValueError(f"{self.path}: `{self.right}` is not in it")
        return source.replace(self.right, self.wrong)
