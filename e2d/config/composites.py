"""Kinds of many values: lists, and mappings of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from attrs import frozen

from e2d.config.document import ListNode, MapNode, Node, Scalar
from e2d.config.kinds import Kind, Written, shown
from e2d.config.problems import Findings, quoted

__all__ = ["ListOf", "StringMap"]

T_co = TypeVar("T_co", covariant=True)

_MAXIMUM_ITEMS = 1000
"""More peers, names or tags than any cluster has."""


@frozen(kw_only=True)
class ListOf(Kind[tuple[T_co, ...]], Generic[T_co]):
    """
    A list of values of one kind.

    :param what: the items, in the plural.
    :param single: a value alone stands for a list of one.
    """

    item: Kind[T_co]
    what: str
    single: bool = False

    def read(self, node: Node, key: str, findings: Findings) -> tuple[T_co, ...] | None:
        """Each item that does not fit is reported."""
        if self.single and isinstance(node, Scalar):
            node = ListNode(place=node.place, items=(node,))
        if not isinstance(node, ListNode):
            self.refuse(node, key, findings, "write `- ` before each")
            return None
        if len(node.items) > _MAXIMUM_ITEMS:
            findings.error(
                node.place, key, f"`{key}` has more than {_MAXIMUM_ITEMS} items"
            )
            return None
        made = [self.item.read(item, key, findings) for item in node.items]
        fit = tuple(item for item in made if item is not None)
        return fit if len(fit) == len(made) else None

    def write(self, value: object) -> Written:
        """A list."""
        assert isinstance(value, tuple)
        return [self.item.write(item) for item in value]

    def schema(self) -> dict[str, object]:
        """An array."""
        array = {
            "type": "array",
            "items": self.item.schema(),
            "maxItems": _MAXIMUM_ITEMS,
        }
        return {"anyOf": [array, self.item.schema()]} if self.single else dict(array)

    @property
    def words(self) -> str:
        """With its items."""
        return f"a list of {self.what}"


@frozen(kw_only=True)
class StringMap(Kind[tuple[tuple[str, str], ...]]):
    """
    A mapping of text to text.

    :param check: the reason why a key does not do, or "".
    """

    what: str
    check: Callable[[str], str] = lambda _name: ""

    def read(
        self, node: Node, key: str, findings: Findings
    ) -> tuple[tuple[str, str], ...] | None:
        """Sorted by key; numbers as values must be quoted."""
        if not isinstance(node, MapNode):
            self.refuse(node, key, findings, "write `name: value` lines below it")
            return None
        pairs = []
        for entry in node.entries:
            path = f"{key}.{entry.key}"
            if reason := self.check(entry.key):
                findings.error(entry.place, path, f"{quoted(path)} {reason}")
            value = _text_of(entry.node, path, findings)
            if value is not None:
                pairs.append((entry.key, value))
        return tuple(sorted(pairs)) if len(pairs) == len(node.entries) else None

    def write(self, value: object) -> Written:
        """A mapping."""
        assert isinstance(value, tuple)
        return dict(value)

    def schema(self) -> dict[str, object]:
        """An object of strings."""
        return {"type": "object", "additionalProperties": {"type": ["string", "null"]}}

    @property
    def words(self) -> str:
        """What it maps."""
        return f"a mapping of {self.what}"


def _text_of(node: Node, path: str, findings: Findings) -> str | None:
    if isinstance(node, Scalar):
        if node.value is None:
            return ""
        if isinstance(node.value, str):
            return node.value
        hint = f'in quotes it is text: "{node.text}"'
    else:
        hint = ""
    findings.error(
        node.place, path, f"{quoted(path)} must be text, not {shown(node)}", hint
    )
    return None
