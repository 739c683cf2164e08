"""A tree to settings: every key looked up in the table, each value read by its kind."""

from __future__ import annotations

from typing import TypeVar, cast

from attrs import define, field, frozen

from e2d.config.document import Entry, MapNode, Node, Scalar
from e2d.config.keys import ALPHA, API_GROUP, BETA, KIND, Key
from e2d.config.kinds import shown
from e2d.config.problems import Findings, Place, nearest, quoted
from e2d.config.scalars import Integer
from e2d.config.table import ALIASES, KEYS, SECTIONS, names_in, path_like

__all__ = ["Settings", "read_settings"]

T = TypeVar("T")


@frozen(kw_only=True)
class Settings:
    """
    What a file says, key by key.

    :param version: which defaults hold.
    """

    version: str
    _values: dict[str, object]
    _places: dict[str, Place]
    _broken: frozenset[str]

    def get(self, key: Key[T]) -> T:
        """The value, or the version's default."""
        if key.path in self._values:
            return cast(T, self._values[key.path])
        return key.default_for(self.version)

    def given(self, key: Key[T]) -> bool:
        """Whether the file has a value for it."""
        return key.path in self._values

    def place(self, key: Key[T]) -> Place | None:
        """Where the value stands; None for a default."""
        return self._places.get(key.path)

    def broken(self, *keys: Key[object]) -> bool:
        """
        Whether the file meant to give one of them, and failed.

        What follows from a value that was reported already is not worth a report.
        """
        return any(key.path in self._broken for key in keys)

    def section_given(self, path: str) -> Place | None:
        """Where the first value of a section stands; None if it has none."""
        inside = [
            place
            for known, place in self._places.items()
            if known.startswith(f"{path}.")
        ]
        return min(inside, default=None)


def read_settings(root: MapNode, findings: Findings) -> Settings:
    """
    Read every key, or report it.

    :param root: the whole document.
    """
    reader = _Reader(findings, _version(root, findings))
    reader.read_section(root, "")
    return reader.settings()


def _version(root: MapNode, findings: Findings) -> str:
    """``apiVersion`` and ``kind`` may be absent or blank: then the original's."""
    version = ALPHA
    for entry in root.entries:
        known = {"apiVersion": [ALPHA, BETA], "kind": [KIND]}.get(entry.key)
        text = entry.node.text if isinstance(entry.node, Scalar) else ""
        blank = isinstance(entry.node, Scalar) and entry.node.value in (None, "")
        if known is None or blank:
            continue
        if text not in known:
            words = " or ".join(f"`{word}`" for word in known)
            findings.error(
                entry.node.place,
                entry.key,
                f"`{entry.key}` must be {words}, not {shown(entry.node)}",
                "this file is for another program"
                if API_GROUP not in text and entry.key == "apiVersion"
                else "",
            )
        elif entry.key == "apiVersion":
            version = text
    return version


@define(eq=False)
class _Reader:
    _findings: Findings
    _version: str
    _values: dict[str, object] = field(factory=dict, init=False)
    _places: dict[str, Place] = field(factory=dict, init=False)
    _names: dict[str, str] = field(factory=dict, init=False)
    _broken: set[str] = field(factory=set, init=False)

    def settings(self) -> Settings:
        return Settings(
            version=self._version,
            values=self._values,
            places=self._places,
            broken=frozenset(self._broken),
        )

    def read_section(self, node: MapNode, section: str) -> None:
        for entry in node.entries:
            path = f"{section}.{entry.key}" if section else entry.key
            key = KEYS.get(path) or ALIASES.get(path)
            if key is not None:
                self._read_key(key, entry, path)
            elif path in SECTIONS and path:
                self._enter(entry, path)
            elif path not in {"apiVersion", "kind"}:
                self._unknown(entry, section, path)

    def _enter(self, entry: Entry, path: str) -> None:
        if isinstance(entry.node, MapNode):
            self.read_section(entry.node, path)
        elif not _is_null(entry.node):
            self._findings.error(
                entry.node.place,
                path,
                f"`{path}` must be a mapping of keys to values, "
                f"not {shown(entry.node)}",
            )

    def _read_key(self, key: Key[object], entry: Entry, path: str) -> None:
        other = self._names.setdefault(key.path, path)
        if other != path:
            self._findings.error(
                entry.place, path, f"`{path}` is another name of `{other}`: give one"
            )
            return
        if _is_absent(key, entry.node):
            return
        value = key.kind_for(self._version).read(entry.node, path, self._findings)
        if value is None:
            self._broken.add(key.path)
        if value is None or (key.zero_is_default and value == 0):
            return
        self._values[key.path] = value
        self._places[key.path] = entry.node.place

    def _unknown(self, entry: Entry, section: str, path: str) -> None:
        meant = nearest(entry.key, names_in(section))
        if meant is not None:
            self._broken.add(f"{section}.{meant}".lstrip("."))
        else:
            meant = path_like(entry.key)
            self._broken.add(meant or "")
        hint = f"did you mean `{meant}`?" if meant else ""
        self._findings.error(entry.place, path, f"unknown key {quoted(path)}", hint)


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _is_absent(key: Key[object], node: Node) -> bool:
    if not isinstance(node, Scalar):
        return False
    if node.value is None or (key.none_word and node.text == key.none_word):
        return True
    return key.zero_is_default and (node.value == "" or _is_zero(key, node))


def _is_zero(key: Key[object], node: Scalar) -> bool:
    """Only where a number is wanted: ``overrideName: 0`` is a mistake."""
    return isinstance(key.kind, Integer) and type(node.value) is int and not node.value
