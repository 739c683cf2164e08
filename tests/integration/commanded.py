"""
Peers that obey commands and tell what happens to them, both as JSON lines.

Real ones of memberlist do (``gopeers.py``), and ours (``ourpeers.py``): a test treats
both alike. ``gopeer/commands.go`` has the list of commands.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from attrs import asdict, field, frozen

from twisted.internet.task import deferLater

from e2d.interfaces import IDaemonReactor
from e2d.model import Address
from tests.integration.etcds import free_ports
from tests.integration.events import ANSWER, PATIENCE, Event, Observed, Start

__all__ = ["CALM", "FAST", "CommandedPeer", "Member", "PeerRefused", "PeerSettings"]

T = TypeVar("T")

_POLL_SECONDS = 0.05
_STATES = frozenset({"alive", "suspect", "dead", "left"})

FAST: Mapping[str, float] = {
    "probe_interval": 0.2,
    "probe_timeout": 0.1,
    "gossip_interval": 0.05,
    "push_pull_interval": 2.0,
    "retransmit_mult": 4,
}
"""
Settings with which two peers find a third one dead within a second or two.

Peers gossip to random others, and a queue of the application's own goes no further than
one hop: a broadcast may miss one even so.
"""

CALM: Mapping[str, float] = {**FAST, "probe_interval": 0.5, "probe_timeout": 0.3}
"""Settings with which nobody is suspected on a busy machine who is there."""


class PeerRefused(Exception):
    """A peer answered a command with an error, in its own words."""


@frozen(kw_only=True)
class Member:
    """
    What a peer knows of a member.

    :param name: not UTF-8 where it has U+FFFD.
    :param ip: the bytes of the address as they came: 4, or 16.
    :param vsn: protocol minimum, maximum, current; the delegate's same three.
    :param state: alive, suspect, dead or left; None where only the claim of another is
        told, and then there are no incarnation and since either.
    :param since: seconds since the state changed.
    """

    name: str
    ip: bytes
    address: Address
    meta: bytes
    vsn: bytes
    state: str | None = None
    incarnation: int | None = None
    since: float | None = None


@frozen(kw_only=True)
class PeerSettings:
    """
    The flags of a peer. Those that are None are as the profile has them.

    Times are seconds. The first of the keys is the primary one.
    """

    name: str
    bind: str = "127.0.0.1"
    port: int = field(factory=lambda: free_ports(1)[0])
    profile: str = "local"
    advertise: str | None = None
    advertise_port: int | None = None
    keys: Sequence[bytes] = ()
    meta: bytes | None = None
    state: bytes | None = None
    ack_payload: bytes | None = None
    label: str | None = None
    skip_inbound_label_check: bool | None = None
    protocol: int | None = None
    delegate_versions: tuple[int, int, int] | None = None
    cidrs: tuple[str, ...] | None = None
    compression: bool | None = None
    verify_incoming: bool | None = None
    verify_outgoing: bool | None = None
    disable_tcp_pings: bool | None = None
    require_node_names: bool | None = None
    udp_buffer_size: int | None = None
    handoff_queue_depth: int | None = None
    tcp_timeout: float | None = None
    probe_interval: float | None = None
    probe_timeout: float | None = None
    gossip_interval: float | None = None
    gossip_nodes: int | None = None
    gossip_to_the_dead_time: float | None = None
    push_pull_interval: float | None = None
    dead_node_reclaim_time: float | None = None
    indirect_checks: int | None = None
    retransmit_mult: int | None = None
    suspicion_mult: int | None = None
    suspicion_max_timeout_mult: int | None = None
    awareness_max_multiplier: int | None = None

    def arguments(self) -> list[str]:
        """The command line."""
        given = asdict(self, filter=lambda _, value: value is not None, recurse=False)
        keys = [f"-key={key.hex()}" for key in given.pop("keys")]
        return keys + [
            f"-{name.replace('_', '-')}={_text(value)}" for name, value in given.items()
        ]


def _text(value: object) -> str:
    match value:
        case bytes():
            return value.hex()
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


class CommandedPeer(Observed):
    """
    One peer; it listens from its event ``ready`` on.

    Its other events are ``join``, ``leave`` and ``update`` (``node``), ``conflict``
    (``existing``, ``other``), ``user`` (``data``), ``merged`` (``data``, ``join``),
    ``ping`` (``name``, ``rtt``, ``data``), ``finished`` (``key``, ``data``: a broadcast
    was sent often enough) and ``log`` (``level``, ``text``).

    :ivar settings: what it was started with.
    """

    def __init__(
        self, reactor: IDaemonReactor, settings: PeerSettings, start: Start
    ) -> None:
        self.settings = settings
        self._ids = itertools.count(1)
        super().__init__(reactor, settings.name, start)

    @property
    def address(self) -> Address:
        """Where it listens, with UDP and TCP."""
        return Address(self.settings.bind, self.settings.port)

    async def command(
        self,
        do: str,
        within: float = PATIENCE,
        **arguments: str | bytes | float | Sequence[str],
    ) -> Any:  # noqa: ANN401 - each command has an answer of its own
        """
        Have it carry out a command of ``gopeer/commands.go``.

        :return: its result; a list of :py:class:`Member` where it tells of members.
        :raises PeerRefused: it gave an error.
        """
        number = next(self._ids)
        given = {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in arguments.items()
        }
        request = {"id": number, "do": do, **given}
        self.child.write(json.dumps(request).encode() + b"\n")
        answer = await self.event(ANSWER, None, within, lambda e: e["id"] == number)
        if "error" in answer.fields:
            raise PeerRefused(answer["error"])
        return answer["result"]

    async def join(self, *addresses: Address, within: float = PATIENCE) -> int:
        """
        Push and pull with others.

        :return: with how many it went well.
        :raises PeerRefused: with none.
        """
        joined = await self.command("join", within, addrs=[str(a) for a in addresses])
        assert isinstance(joined, int)
        return joined

    async def members(self) -> dict[str, Member]:
        """Those that the library gives an application: neither dead nor left."""
        return _by_name(await self.command("members"))

    async def records(self) -> dict[str, Member]:
        """Every one that it remembers, dead and left ones too."""
        return _by_name(await self.command("records"))

    async def sees(self, *names: str, within: float = PATIENCE) -> None:
        """Until its members that are alive, with itself, are exactly these."""
        await self._until(
            f"{self.name} sees {sorted(names)} alive",
            lambda known: {m.name for m in known if m.state == "alive"} == set(names),
            within,
        )

    async def forgets(self, *names: str, within: float = PATIENCE) -> None:
        """Until it has no record of these, and only of others."""
        await self._until(
            f"{self.name} forgets {sorted(names)}",
            lambda known: not {m.name for m in known} & set(names),
            within,
        )

    async def finds(self, name: str, state: str, within: float = PATIENCE) -> Member:
        """Until it has a member in a state; suspicion is told by no event."""
        assert state in _STATES
        return await self._until(
            f"{self.name} finds {name} {state}",
            lambda known: next(
                (m for m in known if (m.name, m.state) == (name, state)), None
            ),
            within,
        )

    async def _until(
        self, what: str, answer: Callable[[Iterable[Member]], T | None], seconds: float
    ) -> T:
        deadline = self._reactor.seconds() + seconds
        while True:
            records = (await self.records()).values()
            if found := answer(records):
                return found
            if self._reactor.seconds() > deadline:
                raise AssertionError(f"not within {seconds:g} s: {what}: {records}")
            await deferLater(self._reactor, _POLL_SECONDS)

    def _take(self, line: bytes) -> None:
        """A line of its output; what is not JSON is a crash or a complaint."""
        try:
            fields = json.loads(line, object_hook=_value)
        except ValueError:
            fields = {"level": "stderr", "text": line.decode(errors="replace")}
            self.events.add(Event(kind="log", fields=fields))
        else:
            kind, at = fields.pop("event"), fields.pop("at")
            self.events.add(Event(kind=kind, at=at, fields=fields))


def _value(fields: dict[str, Any]) -> object:
    """An object of JSON: a member, or as it is, with bytes where there are digits."""
    if "vsn" in fields:
        return Member(
            name=fields["name"],
            ip=bytes.fromhex(fields["ip"]),
            address=Address(fields["addr"], fields["port"]),
            meta=bytes.fromhex(fields["meta"]),
            vsn=bytes.fromhex(fields["vsn"]),
            state=fields.get("state"),
            incarnation=fields.get("incarnation"),
            since=fields.get("since"),
        )
    if "data" in fields:
        fields["data"] = bytes.fromhex(fields["data"])
    return fields


def _by_name(members: Iterable[Member]) -> dict[str, Member]:
    return {member.name: member for member in members}
