"""
The keys that one node has, as a value, and what may be done with them.

Note [What survives]
    Keys that were changed across the ring are kept on disk beside a digest of the
    configured ones. As long as the configuration says the same, what was changed holds.
    Keys in a configuration that changed since are somebody's newer word: they are used,
    and what was in use is accepted for ``gossip.keyGrace`` more, so that nodes whose
    configuration is not changed yet are still heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from attrs import evolve, frozen

from e2d.model import KeyChange, KeyName, NodeKeys, name_key
from e2d.swim.sealing import KEY_BYTES, Keyring

__all__ = ["HeldKeys", "KeyRefused", "NotKeys", "fresh_keys", "kept_keys"]

MOST_KEYS = 16
"""A packet is tried with each; a change needs two."""

_VERSION = 1


class KeyRefused(Exception):
    """
    What was asked of this node's keys makes no sense now.

    :ivar reason: one short phrase.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotKeys(Exception):
    """What was kept is not keys; one short phrase, without any of it."""


@frozen(kw_only=True)
class HeldKeys:
    """
    The keys of a node.

    :param configured: a digest of the configured keys.
    :param keys: the one in use first.
    :param retiring: when some are to be dropped, by name; aware datetimes.
    :param change: a change that is under way.
    """

    configured: str
    keys: tuple[bytes, ...]
    retiring: Mapping[KeyName, datetime]
    change: KeyChange | None = None

    @property
    def keyring(self) -> Keyring:
        """For the ring's packets."""
        return Keyring(self.keys)

    @property
    def told(self) -> NodeKeys:
        """What others may know."""
        return NodeKeys(
            names=tuple(map(name_key, self.keys)),
            change=self.change,
            retiring=tuple(sorted(self.retiring.items())),
        )

    def add(self, key: bytes, old: KeyName) -> HeldKeys:
        """
        Accept one more key, towards which the ring changes.

        :param old: the key that the change began with.
        :raises KeyRefused: another change is under way, or there are too many keys.
        """
        change = KeyChange(new=name_key(key), old=old)
        if self.change is not None and self.change != change:
            raise KeyRefused(
                f"a change to the key {self.change.new} is under way: finish it"
                f" (use {self.change.new}) or abort it"
            )
        keys = self.keys if key in self.keys else (*self.keys, key)
        if len(keys) > MOST_KEYS:
            raise KeyRefused(f"there are {MOST_KEYS} keys already: remove one")
        retiring = {n: at for n, at in self.retiring.items() if n != change.new}
        return evolve(self, keys=keys, retiring=retiring, change=change)

    def use(self, name: KeyName, retires_at: datetime) -> HeldKeys:
        """
        Seal with another key.

        :param retires_at: when the key that was in use is dropped.
        :raises KeyRefused: the key is not accepted here.
        """
        key = self._find(name)
        if key is None:
            raise KeyRefused(f"the key {name} is not known here: add it first")
        if key == self.keys[0]:
            return self
        retiring = {n: at for n, at in self.retiring.items() if n != name}
        retiring[name_key(self.keys[0])] = retires_at
        others = tuple(each for each in self.keys if each != key)
        return evolve(self, keys=(key, *others), retiring=retiring)

    def remove(self, name: KeyName) -> HeldKeys:
        """
        Accept a key no longer.

        :raises KeyRefused: it is in use.
        """
        if name == name_key(self.keys[0]):
            raise KeyRefused(f"the key {name} is in use: use another one first")
        keys = tuple(each for each in self.keys if name_key(each) != name)
        retiring = {n: at for n, at in self.retiring.items() if n != name}
        change = self.change
        if change is not None and name in {change.new, change.old}:
            change = None
        return evolve(self, keys=keys, retiring=retiring, change=change)

    def settle(self) -> HeldKeys:
        """The change is over."""
        return evolve(self, change=None)

    def expire(self, now_at: datetime) -> HeldKeys:
        """Drop what has retired; a key in use never does."""
        primary = name_key(self.keys[0])
        over = {n for n, at in self.retiring.items() if at <= now_at and n != primary}
        if not over:
            return self
        return evolve(
            self,
            keys=tuple(each for each in self.keys if name_key(each) not in over),
            retiring={n: at for n, at in self.retiring.items() if n not in over},
        )

    def to_document(self) -> dict[str, object]:
        """For a file that nobody else may read."""
        change = self.change
        return {
            "version": _VERSION,
            "configured": self.configured,
            "keys": [key.hex() for key in self.keys],
            "retiring": {n: at.isoformat() for n, at in self.retiring.items()},
            "change": None
            if change is None
            else {"new": change.new, "old": change.old},
        }

    def _find(self, name: KeyName) -> bytes | None:
        return next((each for each in self.keys if name_key(each) == name), None)


def fresh_keys(configured: Sequence[bytes]) -> HeldKeys:
    """The keys of a node on which none was changed."""
    return HeldKeys(configured=_digest(configured), keys=tuple(configured), retiring={})


def kept_keys(
    document: object,
    configured: Sequence[bytes],
    *,
    now_at: datetime,
    grace: timedelta,
) -> HeldKeys:
    """
    The keys of a node that kept some; see Note [What survives].

    :raises NotKeys: the document is none of ours.
    """
    kept = _from_document(document)
    fresh = fresh_keys(configured)
    if kept.configured == fresh.configured:
        return kept.expire(now_at)
    before = tuple(each for each in kept.keys if each not in fresh.keys)
    room = MOST_KEYS - len(fresh.keys)
    retiring = {name_key(each): now_at + grace for each in before[:room]}
    return evolve(fresh, keys=(*fresh.keys, *before[:room]), retiring=retiring)


def _digest(configured: Sequence[bytes]) -> str:
    return sha256(b"".join(sha256(key).digest() for key in configured)).hexdigest()


def _from_document(document: object) -> HeldKeys:
    if not isinstance(document, dict):
        raise NotKeys("it is not what keys are kept in")
    try:
        if document["version"] != _VERSION:
            raise NotKeys("it is of another version of e2d")
        keys = tuple(bytes.fromhex(each) for each in document["keys"])
        change = document["change"]
        held = HeldKeys(
            configured=str(document["configured"]),
            keys=keys,
            retiring={
                KeyName(str(name)): datetime.fromisoformat(at).astimezone(UTC)
                for name, at in document["retiring"].items()
            },
            change=None
            if change is None
            else KeyChange(
                new=KeyName(str(change["new"])), old=KeyName(str(change["old"]))
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotKeys("it is not what keys are kept in") from None
    if not keys or len(set(keys)) != len(keys) or len(keys) > MOST_KEYS:
        raise NotKeys("its keys are none, too many, or one twice")
    if any(len(key) not in KEY_BYTES for key in keys):
        raise NotKeys("a key has a length that keys do not have")
    return held
