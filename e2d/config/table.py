"""All keys in one table, and what can be looked up in it."""

from __future__ import annotations

from e2d.config import node_keys, service_keys
from e2d.config.keys import Key, Section
from e2d.config.problems import nearest

__all__ = ["ALIASES", "KEYS", "SECTIONS", "names_in", "path_like"]

_SECTION_LIST = (
    Section(path="", about="The node."),
    *node_keys.SECTIONS,
    *service_keys.SECTIONS,
)

SECTIONS: dict[str, Section] = {section.path: section for section in _SECTION_LIST}
"""Every mapping that holds keys, by path; the whole file is ""."""

KEYS: dict[str, Key[object]] = {
    key.path: key for key in (*node_keys.KEYS, *service_keys.KEYS)
}
"""Every key with a value, by path."""

ALIASES: dict[str, Key[object]] = {
    f"{key.parent}.{key.alias}".lstrip("."): key for key in KEYS.values() if key.alias
}
"""Keys by the paths of their older names."""

_HEAD = ("apiVersion", "kind")


def names_in(section: str) -> list[str]:
    """
    Every name that may stand in a section.

    :param section: its path, "" for the whole file.
    """
    paths = [*KEYS, *ALIASES, *SECTIONS]
    inside = [path for path in paths if path and path.rpartition(".")[0] == section]
    names = [path.rpartition(".")[2] for path in inside]
    return names if section else [*_HEAD, *names]


def path_like(name: str) -> str | None:
    """
    The path, anywhere, whose end is closest to a name.

    :return: None when nothing comes close.
    """
    ends = {path.rpartition(".")[2]: path for path in reversed(list(KEYS))}
    meant = nearest(name, ends)
    return None if meant is None else ends[meant]
