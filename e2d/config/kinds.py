"""
What a kind of value is: how it is read, written, described.

A kind reports what it can't read and returns None; whatever it returns fits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from e2d.config.document import ListNode, MapNode, Node, Scalar
from e2d.config.problems import Findings, quoted
from e2d.config.secret import Secret

__all__ = ["Kind", "Written", "shown"]

T_co = TypeVar("T_co", covariant=True)

Written = str | int | bool | Secret | list["Written"] | dict[str, "Written"]
"""What a value looks like in a file."""


class Kind(ABC, Generic[T_co]):
    """One kind of value."""

    @abstractmethod
    def read(self, node: Node, key: str, findings: Findings) -> T_co | None:
        """
        Make the value, or report why not.

        :param key: the path of the key, for messages.
        :return: None after an error.
        """

    @abstractmethod
    def write(self, value: object) -> Written:
        """
        How a value of this kind is written.

        :param value: what `read` returned.
        """

    @abstractmethod
    def schema(self) -> dict[str, object]:
        """The kind in JSON Schema's words."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The kind in a person's words, to follow "must be"."""

    @property
    def unit(self) -> str:
        """What a bare number means, or ""."""
        return ""

    def refuse(self, node: Node, key: str, findings: Findings, hint: str = "") -> None:
        """Report that a node is not of this kind."""
        findings.error(
            node.place, key, f"`{key}` must be {self.words}, not {shown(node)}", hint
        )


def shown(node: Node) -> str:
    """A node as messages show it."""
    match node:
        case MapNode():
            return "a mapping"
        case ListNode():
            return "a list"
        case Scalar():
            return quoted(node.text)
