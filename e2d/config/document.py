"""
YAML text to a tree with positions, within bounds.

PyYAML composes; the tree is made from its nodes. No value is constructed by tags, so a
file can't make objects.

Note [What is bounded]
    The text is from a person, but perhaps by way of a template, a download or a pipe.
    Size, depth and the number of nodes are limited while composing, before the tree
    grows; aliases and merge keys are counted at every use, so that a few lines that
    refer to each other can't expand to billions of values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from attrs import define, field, frozen
from yaml.composer import Composer
from yaml.events import AliasEvent
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from e2d.config.problems import Findings, Place, quoted

__all__ = [
    "MAXIMUM_BYTES",
    "Entry",
    "ListNode",
    "MapNode",
    "Node",
    "Scalar",
    "parse",
]

MAXIMUM_BYTES = 1 << 20
"""A configuration of 1 MiB holds something else."""

_MAXIMUM_NODES = 10_000
"""Every key, value and use of an alias counts; a long list of peers has hundreds."""

_MAXIMUM_DEPTH = 16
"""The deepest key is four levels down."""

_TAG = "tag:yaml.org,2002:"
_TRUE = frozenset({"yes", "true", "on"})
_KNOWN_TAGS = frozenset(
    _TAG + name for name in ("null", "bool", "int", "float", "str", "map", "seq")
)


@frozen(kw_only=True)
class Scalar:
    """
    A single value.

    :param value: what the text stands for by the rules of YAML 1.1 as Go reads them.
    :param text: as it is written.
    """

    place: Place
    value: str | int | float | bool | None
    text: str


@frozen(kw_only=True)
class ListNode:
    """A list."""

    place: Place
    items: tuple[Node, ...]


@frozen(kw_only=True)
class Entry:
    """One key of a mapping and its value."""

    place: Place
    key: str
    node: Node


@frozen(kw_only=True)
class MapNode:
    """A mapping; no key occurs twice."""

    place: Place
    entries: tuple[Entry, ...]


Node = Scalar | ListNode | MapNode


class _TooMuch(yaml.MarkedYAMLError):
    """One of the bounds was passed."""


class _Composer(Reader, Scanner, Parser, Composer, BaseResolver):
    """PyYAML's composer, with Go's rules for plain scalars and with bounds."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self._nodes = 0
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Count, then compose."""
        self._nodes += 1
        self._depth += 1
        mark = self.peek_event().start_mark
        if self._nodes > _MAXIMUM_NODES:
            raise _TooMuch(problem="too many values", problem_mark=mark)
        if self._depth > _MAXIMUM_DEPTH:
            raise _TooMuch(problem="nested too deeply", problem_mark=mark)
        if self.check_event(AliasEvent) and self.peek_event().anchor in self.anchors:
            self._depth -= 1
            return self.anchors[self.get_event().anchor]
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _resolve(name: str, pattern: str, first: str) -> None:
    _Composer.add_implicit_resolver(
        _TAG + name, re.compile(f"^(?:{pattern})$"), list(first)
    )


# As Go's YAML reader does: no base 60 and no dates.
_resolve("bool", r"yes|Yes|YES|true|True|TRUE|on|On|ON", "yYtToO")
_resolve("bool", r"no|No|NO|false|False|FALSE|off|Off|OFF", "nNfFoO")
_resolve("int", r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+)", "-+0")
_resolve("int", r"[-+]?(?:0|[1-9][0-9_]*)", "-+0123456789")
_resolve(
    "float",
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    "-+.0123456789",
)
_resolve("null", r"~|null|Null|NULL|", "~nN")
_Composer.add_implicit_resolver(_TAG + "null", re.compile("^$"), [""])
_resolve("merge", r"<<", "<")


def parse(text: str, findings: Findings) -> MapNode | None:
    """
    Read the first document that holds something; the others must be YAML too.

    :param text: the whole file.
    :param findings: told what is wrong.
    :return: None after an error that leaves nothing to look at.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAXIMUM_BYTES:
        findings.error(
            None, "", f"larger than {MAXIMUM_BYTES >> 20} MiB, so no configuration"
        )
        return None
    try:
        found = [node for node in _documents(text) if not _empty(node)]
    except ReaderError as error:
        _report_character(text, error, findings)
        return None
    except yaml.MarkedYAMLError as error:
        _report_syntax(error, findings)
        return None
    if not found:
        findings.error(
            None,
            "",
            "no configuration in it",
            "a single node with all defaults is `kind: Configuration`",
        )
        return None
    if len(found) > 1:
        findings.warn(
            _place(found[1]), "", "only the first document is read, this one is not"
        )
    return _root(found[0], findings)


def _documents(text: str) -> Iterator[yaml.Node]:
    composer = _Composer(text.removeprefix("\ufeff"))
    while composer.check_node():
        node = composer.get_node()
        if node is not None:
            yield node


def _empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _TAG + "null"


def _root(node: yaml.Node, findings: Findings) -> MapNode | None:
    try:
        tree = _Tree(findings).convert(node)
    except _TooMuch as error:
        _report_syntax(error, findings)
        return None
    if isinstance(tree, MapNode):
        return tree
    kind = "a list" if isinstance(tree, ListNode) else quoted(tree.text)
    findings.error(
        tree.place,
        "",
        f"a configuration is a mapping of keys to values, not {kind}",
        "write `key: value` lines",
    )
    return None


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _report_syntax(error: yaml.MarkedYAMLError, findings: Findings) -> None:
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark is not None else None
    problem = quoted(error.problem or error.context or "nothing is").strip("`")
    tab = r"'\t'" in problem
    suggestion = "indent with spaces, not with tabs" if tab else ""
    findings.error(place, "", f"not valid YAML: {problem}", suggestion)


def _report_character(text: str, error: ReaderError, findings: Findings) -> None:
    position = error.position + (1 if text.startswith("\ufeff") else 0)
    before = text[:position]
    place = Place(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
    code = f"U+{int(error.character):04X}"
    findings.error(place, "", f"not valid YAML: the character {code} is not allowed")


@define(eq=False)
class _Tree:
    """Makes the tree of one document: expands aliases and merge keys, in bounds."""

    _findings: Findings
    _nodes: int = field(default=0, init=False)
    _depth: int = field(default=0, init=False)

    def convert(self, node: yaml.Node) -> Node:
        self._nodes += 1
        self._depth += 1
        if self._nodes > _MAXIMUM_NODES:
            raise _TooMuch(
                problem="aliases expand to too many values",
                problem_mark=node.start_mark,
            )
        if self._depth > _MAXIMUM_DEPTH:
            raise _TooMuch(
                problem="aliases nest too deeply, or refer to themselves",
                problem_mark=node.start_mark,
            )
        self._check_tag(node)
        made = self._convert(node)
        self._depth -= 1
        return made

    def _convert(self, node: yaml.Node) -> Node:
        if isinstance(node, yaml.MappingNode):
            return MapNode(place=_place(node), entries=self._entries(node))
        if isinstance(node, yaml.SequenceNode):
            items = tuple(self.convert(item) for item in node.value)
            return ListNode(place=_place(node), items=items)
        assert isinstance(node, yaml.ScalarNode)
        return Scalar(place=_place(node), value=self._value(node), text=node.value)

    def _check_tag(self, node: yaml.Node) -> None:
        if node.tag not in _KNOWN_TAGS and node.tag != _TAG + "merge":
            shown = node.tag.replace(_TAG, "!!")
            self._findings.error(
                _place(node), "", f"the tag {quoted(shown)} means nothing here"
            )

    def _entries(self, node: yaml.MappingNode) -> tuple[Entry, ...]:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for key, value in node.value:
            if key.tag == _TAG + "merge":
                for entry in self._merge(value):
                    merged.setdefault(entry.key, entry)
            elif not isinstance(key, yaml.ScalarNode):
                self._findings.error(_place(key), "", "a key must be a single word")
            else:
                self._add(own, key, value)
        extra = [entry for name, entry in merged.items() if name not in own]
        return (*own.values(), *extra)

    def _add(
        self, own: dict[str, Entry], key: yaml.ScalarNode, value: yaml.Node
    ) -> None:
        place = _place(key)
        entry = Entry(place=place, key=key.value, node=self.convert(value))
        first = own.setdefault(entry.key, entry)
        if first is not entry:
            self._findings.error(
                place,
                entry.key,
                f"the key {quoted(entry.key)} is given twice, "
                f"first in line {first.place.line}",
                "keep one of them",
            )

    def _merge(self, value: yaml.Node) -> Iterator[Entry]:
        sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for source in sources:
            made = self.convert(source)
            if isinstance(made, MapNode):
                yield from made.entries
            else:
                self._findings.error(made.place, "", "`<<` merges mappings only")

    def _value(self, node: yaml.ScalarNode) -> str | int | float | bool | None:
        text = str(node.value)
        match node.tag.removeprefix(_TAG):
            case "null":
                return None
            case "bool":
                return text.lower() in _TRUE
            case "int":
                return _integer(text)
            case "float":
                return _float(text)
            case _:
                return text


def _integer(text: str) -> int | str:
    """Go's base 0, where a leading 0 alone means octal; a tag may lie: then text."""
    digits = text.replace("_", "")
    if re.fullmatch(r"[-+]?0[0-7]+", digits):
        digits = digits.replace("0", "0o", 1)
    try:
        return int(digits, 0)
    except ValueError:
        return text


def _float(text: str) -> float | str:
    try:
        return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
    except ValueError:
        return text
