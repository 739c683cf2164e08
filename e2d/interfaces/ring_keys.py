"""The keys of the gossip ring, and changing them across it."""

from __future__ import annotations

from zope.interface import Interface

from e2d.model import KeyName, KeySurvey

__all__ = ["IRingKeys", "KeyChangeRefused"]


class KeyChangeRefused(Exception):
    """
    The keys of the ring were not changed, or not on all nodes.

    What was done so far harms nobody: each node still accepts all keys that any uses.

    :ivar message: one line: why, who, and what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class IRingKeys(Interface):
    """
    Changes keys on all nodes that are alive in the ring, so that no packet is lost.

    A key is used only when all accept it, and dropped only when none uses it. Each call
    asks all nodes, repeats what was not answered, and ends within a minute. To do again
    what was done is harmless. ``by`` is who asked for it (``uid 0``).
    """

    async def survey() -> KeySurvey:
        """
        What each node has.

        :raises KeyChangeRefused: this node is in no ring, or in one without keys.
        """

    async def add(key: bytes, by: str) -> KeyName:
        """
        Have all accept one more key.

        :raises KeyChangeRefused: not all do; or another change is under way.
        """

    async def use(name: KeyName, by: str) -> None:
        """
        Have all use a key; the one before is accepted for ``gossip.keyGrace`` more.

        :raises KeyChangeRefused: not all accept it: then nobody was told to use it. Or
            not all answered: they accept it, so to say it again is safe.
        """

    async def remove(name: KeyName, by: str) -> None:
        """
        Have all accept a key no longer, at once.

        :raises KeyChangeRefused: somebody uses it, or not all answered.
        """

    async def rotate(key: bytes, by: str) -> KeyName:
        """
        `add`, and then `use`.

        :raises KeyChangeRefused: as these do.
        """

    async def abort(by: str) -> KeyName:
        """
        End a change that is under way: all use the key of before, and drop the new one.

        :return: the key in use.
        :raises KeyChangeRefused: there is none, or not all answered.
        """
