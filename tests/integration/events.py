"""What a process was seen to do, and waiting for it."""

from __future__ import annotations

import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field, frozen

from twisted.internet.defer import Deferred

from e2d.interfaces import IDaemonReactor
from tests.integration.children import (
    Child,
    cpu_seconds,
    freeze,
    resident_bytes,
    thaw,
    within,
)

__all__ = ["ANSWER", "PATIENCE", "Ended", "Event", "Events", "Observed", "Start"]

Start = Callable[[Callable[[bytes], None], Callable[[], None]], Child]
"""Starts a process: given what takes its lines, and what is called when it ended."""

PATIENCE = 10.0
"""Seconds that an event is waited for unless a test says how long."""

TAIL = 300
"""Events: how many of the last are told of a process whose test failed."""

ANSWER = "answer"
"""The kind of an answer to a command. Tests ask too often for these to be told."""


class Ended(Exception):
    """The process ended, and what was waited for will not come."""


@frozen(kw_only=True)
class Event:
    """
    Something that a process told.

    :param kind: which fields there are depends on it.
    :param at: when, in seconds of CLOCK_MONOTONIC.
    """

    kind: str
    fields: Mapping[str, Any]
    at: float = field(factory=lambda: time.clock_gettime(time.CLOCK_MONOTONIC))

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - whatever the kind has
        return self.fields[name]

    @property
    def about(self) -> str | None:
        """The name of the member that it is about, if it is about one."""
        node = self.fields.get("node")
        return self.fields.get("name") if node is None else node.name

    def __str__(self) -> str:
        """``8051.204 join node=...``."""
        told = " ".join(f"{name}={value}" for name, value in self.fields.items())
        return f"{self.at:.3f} {self.kind} {told}"


@define
class _Wait:
    wanted: Callable[[Event], object]
    given: Deferred[Event]


@define(eq=False)
class Events:
    """The events of one process, in their order. Each is waited for and given once."""

    _reactor: IDaemonReactor
    _all: list[Event] = field(factory=list, init=False)
    _not_given: list[Event] = field(factory=list, init=False)
    _waits: list[_Wait] = field(factory=list, init=False)
    _ended: bool = field(default=False, init=False)

    def add(self, event: Event) -> None:
        """It happened."""
        self._all.append(event)
        for wait in self._waits:
            if wait.wanted(event):
                self._waits.remove(wait)
                wait.given.callback(event)
                return
        self._not_given.append(event)

    def end(self) -> None:
        """Nothing more will happen."""
        self._ended = True
        waits, self._waits = self._waits, []
        for wait in waits:
            wait.given.errback(self._why())

    def seen(self, kind: str, about: str | None = None) -> list[Event]:
        """Every event of a kind so far, given or not."""
        return [each for each in self._all if _is(each, kind, about)]

    def tail(self, count: int) -> str:
        """The last events as text, without the answers."""
        told = [each for each in self._all if each.kind != ANSWER]
        return "\n".join(map(str, told[-count:]))

    async def next(
        self,
        kind: str,
        about: str | None,
        seconds: float,
        where: Callable[[Event], object],
    ) -> Event:
        """The first that fits and was not given yet, once it happens."""

        def wanted(event: Event) -> object:
            return _is(event, kind, about) and where(event)

        for event in self._not_given:
            if wanted(event):
                self._not_given.remove(event)
                return event
        if self._ended:
            raise self._why()
        wait = _Wait(wanted, Deferred(self._forget))
        self._waits.append(wait)
        what = kind if about is None else f"{kind} of {about}"
        return await within(seconds, self._reactor, what, wait.given)

    def _forget(self, given: Deferred[Event]) -> None:
        self._waits = [each for each in self._waits if each.given is not given]

    def _why(self) -> Ended:
        return Ended(self.tail(3))


def _is(event: Event, kind: str, about: str | None) -> bool:
    return event.kind == kind and about in {None, event.about}


class Observed(ABC):
    """
    A process that tells what happens to it, a line at a time.

    :param name: what the other processes call it.
    :param start: is called at once; starts the process.
    """

    def __init__(self, reactor: IDaemonReactor, name: str, start: Start) -> None:
        self._reactor = reactor
        self.name = name
        self.events = Events(reactor)
        self.child = start(self._take, self.events.end)

    @abstractmethod
    def _take(self, line: bytes) -> None:
        """Make events of a line."""

    async def event(
        self,
        kind: str,
        about: str | None = None,
        within: float = PATIENCE,
        where: Callable[[Event], object] = lambda _: True,
    ) -> Event:
        """
        The first that fits and was not waited for before, once it happens.

        :param about: the name of a member.
        :param within: seconds.
        :raises AssertionError: it does not happen in time.
        :raises Ended: the process ended before; with its last words.
        """
        return await self.events.next(kind, about, within, where)

    def seen(self, kind: str, about: str | None = None) -> list[Event]:
        """Every event of a kind so far, whether it was waited for or not."""
        return self.events.seen(kind, about)

    def tell(self) -> str:
        """The last that it told, for whoever looks at a failed test."""
        return self.events.tail(TAIL)

    async def kill(self, number: int = signal.SIGKILL) -> int:
        """
        End it with a signal, and wait until it has ended. Idempotent.

        :return: its exit code; negative for a signal.
        """
        return await self.child.kill(number)

    def freeze(self) -> None:
        """Let it do nothing, as on a machine that hangs; its sockets stay open."""
        freeze(self.child.pid)

    def thaw(self) -> None:
        """Let it go on."""
        thaw(self.child.pid)

    def cpu_seconds(self) -> float:
        """What it has computed so far."""
        return cpu_seconds(self.child.pid)

    def resident_bytes(self) -> int:
        """The memory that it holds now."""
        return resident_bytes(self.child.pid)
