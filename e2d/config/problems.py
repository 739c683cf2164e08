"""What is wrong with a file: every finding with its place and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

from attrs import define, field, frozen

__all__ = [
    "ConfigurationError",
    "Findings",
    "Place",
    "Problem",
    "nearest",
    "quoted",
    "suggestion_for",
]

_SHOWN_LENGTH = 80
"""A value is shown up to this many characters: a message stays a line."""

_SHOWN_PROBLEMS = 100
"""A file that is not a configuration at all is not answered with a book."""

_LIKE = 0.65
"""From here on a word is taken for a slip of the pen."""

_PART_OF_A_WORD = 0.9
"""How much the beginning of a word counts beside the whole of another."""


@frozen(order=True)
class Place:
    """A position in the text: line and column, counted from 1."""

    line: int
    column: int


@frozen(kw_only=True)
class Problem:
    """
    One thing that is wrong, or deserves a warning.

    :param source: the file's name as the user gave it.
    :param place: None where the whole file is meant.
    :param key: the path of the key that is meant, "" for none.
    :param message: what is wrong, with the offending value.
    :param suggestion: what to write instead, or "".
    """

    source: str
    place: Place | None
    key: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        where = self.source
        if self.place is not None:
            where = f"{where}:{self.place.line}:{self.place.column}"
        return f"{where}: {self.text}"

    @property
    def text(self) -> str:
        """Message and suggestion, without the place."""
        if not self.suggestion:
            return self.message
        joint = "," if self.suggestion.endswith("?") else ";"
        return f"{self.message}{joint} {self.suggestion}"


class ConfigurationError(Exception):
    """
    A configuration that can't be used.

    :param problems: all of them, in the order of the text.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        assert self.problems
        shown = [str(problem) for problem in self.problems[:_SHOWN_PROBLEMS]]
        if len(self.problems) > _SHOWN_PROBLEMS:
            shown.append(f"and {len(self.problems) - _SHOWN_PROBLEMS} more")
        super().__init__("\n".join(shown))


@define(eq=False)
class Findings:
    """
    Collects what is found, so that one run names it all.

    :param source: the file's name as the user gave it.
    """

    _source: str
    _problems: list[Problem] = field(factory=list, init=False)
    _warnings: list[Problem] = field(factory=list, init=False)

    def error(
        self, place: Place | None, key: str, message: str, suggestion: str = ""
    ) -> None:
        """Note what makes the file unusable."""
        self._problems.append(self._found(place, key, message, suggestion))

    def warn(
        self, place: Place | None, key: str, message: str, suggestion: str = ""
    ) -> None:
        """Note what a person should know."""
        self._warnings.append(self._found(place, key, message, suggestion))

    def raise_if_any(self) -> None:
        """
        Go on only without errors.

        :raises ConfigurationError: there are some.
        """
        if self._problems:
            raise ConfigurationError(sorted(self._problems, key=_order))

    @property
    def failed(self) -> bool:
        """Whether any error was noted."""
        return bool(self._problems)

    def warnings(self) -> tuple[Problem, ...]:
        """The warnings, in the order of the text."""
        return tuple(sorted(self._warnings, key=_order))

    def _found(
        self, place: Place | None, key: str, message: str, suggestion: str
    ) -> Problem:
        return Problem(
            source=self._source,
            place=place,
            key=key,
            message=message,
            suggestion=suggestion,
        )


def _order(problem: Problem) -> Place:
    return problem.place or Place(0, 0)


def quoted(text: str) -> str:
    """
    A value as messages show it: in back quotes, short, in one line.

    :param text: anything, hostile too.
    """
    shown = text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 3] + "..."
    return "`" + "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown) + "`"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """
    Guess what was meant.

    :param known: every word that would have been right.
    :return: one of them, or None when nothing comes close.
    """
    scored = [
        (_likeness(word[:_SHOWN_LENGTH], candidate), candidate) for candidate in known
    ]
    score, meant = max(scored, default=(0.0, ""))
    return meant if score >= _LIKE else None


def _likeness(word: str, candidate: str) -> float:
    """From 0 to 1; a word may also be like the beginning of a longer one."""
    word, candidate = word.casefold(), candidate.casefold()
    whole = SequenceMatcher(None, word, candidate).ratio()
    start = SequenceMatcher(None, word, candidate[: len(word) + 1]).ratio()
    return max(whole, start * _PART_OF_A_WORD)


def suggestion_for(word: str, known: Iterable[str]) -> str:
    """
    Ask whether something close to a word was meant.

    :param known: every word that would have been right.
    :return: a question, or "" when nothing comes close.
    """
    meant = nearest(word, known)
    return "" if meant is None else f"did you mean `{meant}`?"
