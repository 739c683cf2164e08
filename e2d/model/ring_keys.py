"""Keys of the gossip ring, by their names: what a key is, nobody is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import NewType

from attrs import frozen

from e2d.model.identities import NodeName

__all__ = ["KeyChange", "KeyName", "KeySurvey", "NodeKeys", "name_key"]

KeyName = NewType("KeyName", str)
"""8 hex digits that tell keys apart and say nothing about them."""


def name_key(key: bytes) -> KeyName:
    """The name of a key: the head of a hash that nothing else is made by."""
    return KeyName(sha256(b"e2d gossip key\0" + key).hexdigest()[:8])


@frozen(kw_only=True)
class KeyChange:
    """
    From one key to another, across the ring.

    :param old: in use before, and again if the change is aborted.
    """

    new: KeyName
    old: KeyName


@frozen(kw_only=True)
class NodeKeys:
    """
    The keys of one node.

    :param names: all that it accepts, the one in use first.
    :param change: what it was told of a change that is not over.
    :param retiring: those that it will accept no longer, and from when on.
    """

    names: tuple[KeyName, ...]
    change: KeyChange | None = None
    retiring: tuple[tuple[KeyName, datetime], ...] = ()

    @property
    def primary(self) -> KeyName:
        """The key in use."""
        return self.names[0]


@frozen(kw_only=True)
class KeySurvey:
    """
    The keys of all that are alive in the ring, as they answered.

    :param answers: by node; None: it did not answer.
    """

    answers: Mapping[NodeName, NodeKeys | None]

    @property
    def silent(self) -> tuple[NodeName, ...]:
        """Who did not answer."""
        return tuple(sorted(n for n, keys in self.answers.items() if keys is None))

    def lacking(self, key: KeyName) -> tuple[NodeName, ...]:
        """Who answered, and does not accept a key."""
        return self._those(lambda keys: key not in keys.names)

    def using(self, key: KeyName) -> tuple[NodeName, ...]:
        """Who answered, and seals with a key."""
        return self._those(lambda keys: keys.primary == key)

    def _those(self, suits: Callable[[NodeKeys], bool]) -> tuple[NodeName, ...]:
        return tuple(
            sorted(
                name
                for name, keys in self.answers.items()
                if keys is not None and suits(keys)
            )
        )
