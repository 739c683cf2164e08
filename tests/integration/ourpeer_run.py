"""
Runs bare peers of ours for tests: a process for one, or for some.

Each argument is a peer, as a JSON object with fields of ``OurSettings``. Commands are
JSON lines on standard input, events are JSON lines on standard output; each names its
``peer``. The process ends when its input does, so that no test leaves one behind.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from twisted.internet import reactor  # noqa: TID251 - this is a process of its own
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.stdio import StandardIO
from twisted.logger import LogLevel, formatEvent, globalLogBeginner
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from e2d.interfaces import IDaemonReactor
from e2d.tap.steady import SteadyClock, boottime
from tests.integration.ourpeer import RunningPeer

_LINE_BYTES = 4 * 1024 * 1024


class Commands(LineOnlyReceiver):
    """
    Takes commands, and tells events.

    :param settings: of each peer.
    :param clock: the reactor's.
    """

    delimiter = b"\n"
    MAX_LENGTH = _LINE_BYTES

    def __init__(
        self, daemon: IDaemonReactor, settings: Sequence[Any], clock: SteadyClock
    ) -> None:
        self._reactor = daemon
        self._peers = {
            each["name"]: RunningPeer(
                daemon, each, partial(self.emit, each["name"]), lambda: clock.unseen
            )
            for each in settings
        }

    def connectionMade(self) -> None:
        """Begin; a peer that cannot is the end of all."""
        beginning = Deferred.fromCoroutine(self._begin())
        beginning.addErrback(self._broke)  # type: ignore[unused-awaitable]

    def _broke(self, failure: Failure) -> None:
        self.complain(failure.getTraceback())
        self.transport.loseConnection()

    async def _begin(self) -> None:
        try:
            for peer in self._peers.values():
                await peer.start()
        except CannotListenError as error:
            self.sendLine(str(error).encode())
            self.transport.loseConnection()

    def connectionLost(self, _reason: Failure) -> None:  # type: ignore[override]
        """Nobody commands any more."""
        if self._reactor.running:
            self._reactor.stop()

    def lineReceived(self, line: bytes) -> None:
        """Carry it out, beside whatever else is under way."""
        command = json.loads(line)
        obeying = Deferred.fromCoroutine(self._peers[command["peer"]].obey(command))
        obeying.addErrback(lambda failure: self.complain(failure.getTraceback()))

    def emit(self, peer: str, kind: str, /, **fields: object) -> None:
        """Tell of an event."""
        at = time.clock_gettime(time.CLOCK_MONOTONIC)
        event = {"peer": peer, "event": kind, "at": at, **fields}
        self.sendLine(json.dumps(event).encode())

    def complain(self, text: str) -> None:
        """Tell all of something that is about no peer."""
        for peer in self._peers:
            self.emit(peer, "log", level="critical", text=text)


def main() -> None:
    """Run."""
    clock = SteadyClock(boottime)
    daemon = cast("IDaemonReactor", reactor)
    daemon.seconds = clock.seconds  # type: ignore[method-assign]
    commands = Commands(daemon, [json.loads(each) for each in sys.argv[1:]], clock)

    def observe(event: dict[str, Any]) -> None:
        if event["log_level"] >= LogLevel.warn:
            failure = event.get("log_failure")
            more = f"\n{failure.getTraceback()}" if failure is not None else ""
            commands.complain(formatEvent(event) + more)

    globalLogBeginner.beginLoggingTo([observe], redirectStandardIO=False)
    clock.watch(daemon)
    daemon.callWhenRunning(StandardIO, commands)
    daemon.run()


if __name__ == "__main__":
    main()
