"""
What is to be spread, and has not been sent often enough.

A broadcast rides on packets: what was sent least goes first, and of that the largest
that fits, the newest of equals.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable

from attrs import frozen

from e2d.swim.effects import BroadcastDone

__all__ = ["PART_OVERHEAD", "Broadcast", "BroadcastQueue"]

PART_OVERHEAD = 2
"""The bytes that a part of a packet needs besides itself: its length."""


@frozen(kw_only=True)
class Broadcast:
    """
    A message to spread.

    :ivar key: a newer one with the same makes it void.
    :ivar message: encoded.
    :ivar done: what to say when it is sent often enough, or void.
    """

    key: bytes
    message: bytes
    done: BroadcastDone | None = None


_Entry = tuple[int, int, int, Broadcast]
"""How often it was sent, its length and its age, both negative; and what it is."""


class BroadcastQueue:
    """
    Broadcasts that wait, at most one for each key.

    :param most: how many; those that were sent most give way.
    :param tell: is told what broadcasts have to say.
    """

    def __init__(self, most: int, tell: Callable[[BroadcastDone], None]) -> None:
        self._most = most
        self._tell = tell
        self._serial = 0
        self._entries: list[_Entry] = []
        self._by_key: dict[bytes, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, broadcast: Broadcast) -> None:
        """Spread it, and nothing older about the same."""
        self.drop(broadcast.key)
        self._serial += 1
        self._insert((0, -len(broadcast.message), -self._serial, broadcast))
        self.prune(self._most)

    def drop(self, key: bytes) -> None:
        """Spread nothing more under a key; harmless where nothing is."""
        held = self._by_key.get(key)
        if held is not None:
            self._finish(held)

    def prune(self, most: int) -> None:
        """Drop what was sent most, then the smallest and oldest, down to so many."""
        while len(self._entries) > most:
            self._finish(self._entries[-1])

    def select(self, limit: int, room: int, parts: int) -> list[bytes]:
        """
        What goes into one packet. Each counts as sent.

        :param limit: how often each is sent at all.
        :param room: in bytes, `PART_OVERHEAD` for each included.
        :param parts: how many at most.
        """
        chosen: list[_Entry] = []
        for entry in self._entries:
            if len(chosen) == parts or room <= PART_OVERHEAD:
                break
            needed = PART_OVERHEAD + len(entry[3].message)
            if needed <= room:
                room -= needed
                chosen.append(entry)
        for entry in chosen:
            self._sent(entry, limit)
        return [entry[3].message for entry in chosen]

    def _sent(self, entry: _Entry, limit: int) -> None:
        count, size, age, broadcast = entry
        if count + 1 >= limit:
            self._finish(entry)
        else:
            self._remove(entry)
            self._insert((count + 1, size, age, broadcast))

    def _finish(self, entry: _Entry) -> None:
        self._remove(entry)
        broadcast = entry[3]
        if broadcast.done is not None:
            self._tell(broadcast.done)

    def _insert(self, entry: _Entry) -> None:
        insort(self._entries, entry)
        self._by_key[entry[3].key] = entry

    def _remove(self, entry: _Entry) -> None:
        # Ages differ, so that the comparison never reaches the broadcasts.
        del self._entries[bisect_left(self._entries, entry)]
        del self._by_key[entry[3].key]
