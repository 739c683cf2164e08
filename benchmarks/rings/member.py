"""
Members of a ring as e2d has them: everything of the daemon that is about gossip.

Each argument is one, as JSON with ``name``, ``port``, ``directory``, ``seeds``, and
``label``, empty for none. They speak of themselves as nodes whose etcd serves.
Events and commands are JSON lines, as those of ``tests/integration/ourpeer_run.py``; of
the events there are ``ready`` and ``join``, of the commands there is ``update``.
"""

from __future__ import annotations

import json
import sys
from typing import Any, cast

from attrs import evolve

from twisted.internet import reactor  # noqa: TID251 - a process of its own
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.stdio import StandardIO
from twisted.logger import ILogObserver, LogLevel, formatEvent, globalLogBeginner
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure
from zope.interface import provider

from e2d.config.loading import load
from e2d.config.values import Configuration, HostFacts
from e2d.gossip.payload import Payloads
from e2d.gossip.presence import Presence
from e2d.interfaces import IDaemonReactor
from e2d.model import (
    Announcement,
    ClusterID,
    DataSummary,
    EtcdVersion,
    MemberID,
    NodeID,
    NodeName,
    NodeStatus,
    Rank,
)
from e2d.services import OrderedServices
from e2d.tap.ring import ring_parts, ring_settings
from e2d.tap.steady import SteadyClock, boottime

Options = dict[str, Any]

OTHER_STATUS = {
    NodeStatus.RUNNING: NodeStatus.PENDING,
    NodeStatus.PENDING: NodeStatus.RUNNING,
}


def configuration(options: Options) -> Configuration:
    """A node that has a ring, and an etcd that nobody starts."""
    port = options["port"]
    written = {
        "apiVersion": "e2d.crit.sh/v1beta1",
        "kind": "Configuration",
        "dataDir": options["directory"],
        "clientAddr": "127.0.0.1:2379",
        "peerAddr": "127.0.0.1:2380",
        "gossipAddr": f"127.0.0.1:{port}",
        "discovery": {"initialPeers": options["seeds"]},
    }
    loaded = load(
        json.dumps(written), source="member", host=HostFacts(host_ip="127.0.0.1")
    )
    ring = evolve(loaded.configuration.gossip_ring, label=options["label"] or None)
    return evolve(loaded.configuration, gossip_ring=ring)


class Member:
    """One of them, from its start on."""

    def __init__(
        self, options: Options, daemon: IDaemonReactor, clock: SteadyClock
    ) -> None:
        self._name = options["name"]
        self._known: set[str] = set()
        settings = configuration(options)
        parts = ring_parts(daemon, settings, options["directory"], lambda: clock.unseen)
        self._ring = parts.membership
        self._said = Announcement(
            name=NodeName(self._name),
            node_id=NodeID(f"{options['port']:016x}"),
            status=NodeStatus.RUNNING,
            etcd_version=EtcdVersion(3, 5, 16),
            data=DataSummary(
                cluster_id=ClusterID(0xCDF818194E3A8C32),
                member_id=MemberID(0x8E9E05C52164694D),
            ),
            lineage="7f1c2d3e4b5a69788796a5b4c3d2e1f0",
        )
        self._ring.subscribe(self._look)
        self._services = OrderedServices(parts.services)
        self._services.startService()
        self._ring.announce(self._said)
        presence, payloads = (
            Presence(ring_settings(settings), self._said),
            Payloads(None),
        )
        self.emit(
            "ready",
            metadata=presence.metadata(payloads).hex(),
            state=presence.state(payloads, 1, 1).hex(),
        )

    def update(self) -> None:
        """Have other metadata, as when its etcd begins or ceases to serve."""
        self._said = evolve(self._said, status=OTHER_STATUS[self._said.status])
        self._ring.announce(self._said)

    async def leave(self) -> None:
        """End, in order."""
        await self._services.stopService()

    def emit(self, kind: str, **fields: object) -> None:
        """Tell of an event."""
        event = {"peer": self._name, "event": kind, **fields}
        print(json.dumps(event), flush=True)

    def _look(self) -> None:
        for member in self._ring.view().members or ():
            if member.rank is Rank.ALIVE and member.name not in self._known:
                self._known.add(member.name)
                self.emit("join", node={"name": member.name})


class Commands(LineOnlyReceiver):
    """Obeys while there is somebody who commands."""

    delimiter = b"\n"

    def __init__(
        self, options: list[Options], daemon: IDaemonReactor, clock: SteadyClock
    ) -> None:
        self._options = options
        self._daemon = daemon
        self._clock = clock
        self._members: dict[str, Member] = {}

    def connectionMade(self) -> None:
        """Begin."""
        for each in self._options:
            self._members[each["name"]] = Member(each, self._daemon, self._clock)

    def connectionLost(self, _reason: Failure) -> None:  # type: ignore[override]
        """End."""
        leaving = gatherResults(
            [Deferred.fromCoroutine(each.leave()) for each in self._members.values()]
        )
        leaving.addBoth(lambda _: self._daemon.stop())  # type: ignore[unused-awaitable]

    def lineReceived(self, line: bytes) -> None:
        """There is one command."""
        command = json.loads(line)
        assert command["do"] == "update"
        self._members[command["peer"]].update()


@provider(ILogObserver)
def observe(event: dict[str, Any]) -> None:
    """What goes wrong is seen in a benchmark, too."""
    if event["log_level"] >= LogLevel.warn:
        failure = event.get("log_failure")
        print(formatEvent(event), failure.getTraceback() if failure else "", flush=True)


def main() -> None:
    """Run."""
    clock = SteadyClock(boottime)
    daemon = cast("IDaemonReactor", reactor)
    daemon.seconds = clock.seconds  # type: ignore[method-assign]
    globalLogBeginner.beginLoggingTo([observe], redirectStandardIO=False)
    clock.watch(daemon)
    options = [json.loads(each) for each in sys.argv[1:]]
    daemon.callWhenRunning(StandardIO, Commands(options, daemon, clock))
    daemon.run()


if __name__ == "__main__":
    main()
