"""Kinds of single values: text, secrets, booleans, numbers, words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TypeVar

from attrs import frozen

from e2d.config.document import Node, Scalar
from e2d.config.kinds import Kind, Written
from e2d.config.problems import Findings, suggestion_for
from e2d.config.secret import MASK, Secret

__all__ = ["Boolean", "Choice", "Integer", "Level", "SecretText", "Text"]

E = TypeVar("E", bound=Enum)

_MAXIMUM_TEXT = 4096
"""Longer than any path, name or URL."""


@frozen(kw_only=True)
class Text(Kind[str]):
    """
    Text as it stands.

    :param what: in a person's words, with its article.
    :param pattern: what all of it must match, for machines and for us.
    """

    what: str = "text"
    pattern: str | None = None

    def read(self, node: Node, key: str, findings: Findings) -> str | None:
        """Numbers and booleans are refused: ``010`` would not be what was written."""
        if not isinstance(node, Scalar):
            self.refuse(node, key, findings)
            return None
        if not isinstance(node.value, str):
            self.refuse(node, key, findings, f'in quotes it is text: "{node.text}"')
            return None
        if not self._fits(node.value):
            self.refuse(node, key, findings)
            return None
        return node.value

    def _fits(self, text: str) -> bool:
        if len(text) > _MAXIMUM_TEXT or not text or not text.isprintable():
            return False
        return self.pattern is None or re.fullmatch(self.pattern, text) is not None

    def write(self, value: object) -> Written:
        """As it stands."""
        return str(value)

    def schema(self) -> dict[str, object]:
        """A string."""
        made: dict[str, object] = {"type": "string"}
        if self.pattern is not None:
            made["pattern"] = f"^(?:{self.pattern})$"
        return made

    @property
    def words(self) -> str:
        """As given."""
        return self.what


@frozen(kw_only=True)
class SecretText(Kind[Secret]):
    """
    Text that no message shows.

    :param check: the reason why a text does not do, or "".
    """

    what: str = "a secret"
    check: Callable[[str], str] = lambda _text: ""

    def read(self, node: Node, key: str, findings: Findings) -> Secret | None:
        """``***`` is not a secret but the place of one that was not shown."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            findings.error(
                node.place, key, f"`{key}` must be {self.what}, written in quotes"
            )
            return None
        if node.value == MASK:
            findings.error(
                node.place,
                key,
                f"`{key}` is `{MASK}`, which stands for a secret that was not shown",
                "write the secret itself, or name a file that holds it",
            )
            return None
        if reason := self.check(node.value):
            findings.error(node.place, key, f"`{key}` {reason}")
            return None
        return Secret(node.value)

    def write(self, value: object) -> Written:
        """Still a secret."""
        assert isinstance(value, Secret)
        return value

    def schema(self) -> dict[str, object]:
        """A string that forms should not echo."""
        return {"type": "string", "writeOnly": True}

    @property
    def words(self) -> str:
        """As given."""
        return self.what


class Boolean(Kind[bool]):
    """``true`` or ``false``, and YAML's other words for them."""

    _LETTERS = ("y", "Y", "n", "N")

    def read(self, node: Node, key: str, findings: Findings) -> bool | None:
        """What YAML takes for one, and ``y`` and ``n``, which some readers do."""
        if isinstance(node, Scalar):
            if isinstance(node.value, bool):
                return node.value
            if node.value in self._LETTERS:
                return node.value in {"y", "Y"}
        self.refuse(node, key, findings)
        return None

    def write(self, value: object) -> Written:
        """``true`` or ``false``."""
        return bool(value)

    def schema(self) -> dict[str, object]:
        """A boolean."""
        return {"enum": [True, False, *self._LETTERS]}

    @property
    def words(self) -> str:
        """Both words."""
        return "`true` or `false`"


@frozen(kw_only=True)
class Integer(Kind[int]):
    """
    A whole number in a range.

    :param counted: what it counts, in the plural.
    """

    minimum: int
    maximum: int
    counted: str
    odd: bool = False

    def read(self, node: Node, key: str, findings: Findings) -> int | None:
        """Numbers in quotes are text, as they were for the original."""
        number = node.value if isinstance(node, Scalar) else None
        if not isinstance(number, int) or isinstance(number, bool):
            self.refuse(node, key, findings)
            return None
        if not self.minimum <= number <= self.maximum or (self.odd and number % 2 == 0):
            self.refuse(node, key, findings)
            return None
        return number

    def write(self, value: object) -> Written:
        """A number."""
        assert isinstance(value, int)
        return value

    def schema(self) -> dict[str, object]:
        """The range, or the odd numbers of it."""
        if self.odd:
            return {"enum": list(range(self.minimum | 1, self.maximum + 1, 2))}
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    @property
    def words(self) -> str:
        """The range."""
        number = "an odd number" if self.odd else "a number"
        return f"{number} from {self.minimum} to {self.maximum}"

    @property
    def unit(self) -> str:
        """What it counts."""
        return self.counted


@frozen(kw_only=True)
class Choice(Kind[E]):
    """
    One of a few words.

    :param booleans: which of them ``true`` and ``false`` stand for.
    """

    choices: type[E]
    booleans: Mapping[bool, E] = {}

    def read(self, node: Node, key: str, findings: Findings) -> E | None:
        """The word as it is spelled."""
        if isinstance(node, Scalar):
            if isinstance(node.value, bool) and node.value in self.booleans:
                return self.booleans[node.value]
            for member in self.choices:
                if node.text == member.value:
                    return member
            known = [str(member.value) for member in self.choices]
            self.refuse(node, key, findings, suggestion_for(node.text, known))
        else:
            self.refuse(node, key, findings)
        return None

    def write(self, value: object) -> Written:
        """The word."""
        assert isinstance(value, Enum)
        return str(value.value)

    def schema(self) -> dict[str, object]:
        """All words, and booleans where they are understood."""
        known: list[object] = [member.value for member in self.choices]
        return {"enum": [*known, *self.booleans]}

    @property
    def words(self) -> str:
        """All of them."""
        return _any_of(str(member.value) for member in self.choices)


class Level(Kind[str]):
    """One of zap's levels, in lower or upper case."""

    _LEVELS = ("debug", "info", "warn", "error", "dpanic", "panic", "fatal")

    def read(self, node: Node, key: str, findings: Findings) -> str | None:
        """In lower case, whatever was written."""
        text = node.text if isinstance(node, Scalar) else ""
        if text.lower() in self._LEVELS and text in {text.lower(), text.upper()}:
            return text.lower()
        self.refuse(node, key, findings, suggestion_for(text, self._LEVELS))
        return None

    def write(self, value: object) -> Written:
        """In lower case."""
        return str(value)

    def schema(self) -> dict[str, object]:
        """Both cases."""
        return {"enum": [*self._LEVELS, *(level.upper() for level in self._LEVELS)]}

    @property
    def words(self) -> str:
        """All of them."""
        return _any_of(self._LEVELS)


def _any_of(names: Iterable[str]) -> str:
    return "one of " + ", ".join(f"`{name}`" for name in names)
