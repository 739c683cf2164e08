"""Real agents of Debian's serf: memberlist with a protocol of its own on top."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

from attrs import field, frozen

from e2d.interfaces import IDaemonReactor
from e2d.model import Address
from tests.integration.children import Child
from tests.integration.environments import Outcome
from tests.integration.etcds import free_ports
from tests.integration.events import PATIENCE, Event, Observed

__all__ = ["SERF_VERSIONS", "SerfAgent", "SerfMember", "SerfSettings", "serf_missing"]

_BINARY = (
    Path(__file__).resolve().parents[2] / "build" / "serf" / "usr" / "bin" / "serf"
)
_LOGGED = re.compile(r"\[(?P<level>[A-Z]+)\] (?P<text>.*)")
_MEMBER_EVENT = re.compile(r"serf: EventMember(?P<kind>\w+): (?P<name>\S+)")
_RUNNING = "==> Serf agent running!"

SERF_VERSIONS = (2, 5, 5)
"""Delegate versions with which serf takes a peer of memberlist for one of its own."""


@cache
def serf_missing() -> str | None:
    """Why tests of serf are skipped."""
    if _BINARY.exists():
        return None
    return "no serf: run scripts/fetch-serf"


@frozen(kw_only=True)
class SerfSettings:
    """
    How an agent is run.

    :param key: of 16, 24 or 32 bytes; None for no encryption.
    :param profile: lan, wan or local.
    """

    name: str
    bind: str = "127.0.0.1"
    port: int = field(factory=lambda: free_ports(1)[0])
    rpc_port: int = field(factory=lambda: free_ports(1)[0])
    profile: str = "local"
    key: bytes | None = None
    tags: Mapping[str, str] = field(factory=dict)

    @property
    def rpc(self) -> str:
        """The option that tells where the agent takes commands."""
        return f"-rpc-addr={self.bind}:{self.rpc_port}"

    def arguments(self) -> list[str]:
        """The command line."""
        options = {
            "node": self.name,
            "bind": f"{self.bind}:{self.port}",
            "profile": self.profile,
            "log-level": "debug",
        }
        if self.key is not None:
            options["encrypt"] = base64.b64encode(self.key).decode()
        tags = [f"-tag={name}={value}" for name, value in self.tags.items()]
        return [
            "agent", self.rpc, *tags, *(f"-{n}={v}" for n, v in options.items())
        ]  # fmt: skip


@frozen(kw_only=True)
class SerfMember:
    """
    What an agent knows of a member.

    :param status: alive, leaving, left or failed.
    """

    name: str
    address: Address
    status: str
    tags: Mapping[str, str]


class SerfAgent(Observed):
    """
    One agent; it takes commands from its event ``ready`` on.

    Its other events are ``join``, ``leave``, ``failed``, ``update`` and ``reap``
    (``name``), and ``log`` (``level``, ``text``).

    :ivar settings: what it was started with.
    """

    def __init__(self, reactor: IDaemonReactor, settings: SerfSettings) -> None:
        self.settings = settings
        command = [str(_BINARY), *settings.arguments()]
        super().__init__(reactor, settings.name, partial(Child, reactor, command))

    @property
    def address(self) -> Address:
        """Where it listens, with UDP and TCP."""
        return Address(self.settings.bind, self.settings.port)

    async def serf(
        self, command: str, *arguments: str, within: float = PATIENCE
    ) -> Outcome:
        """Run ``serf command -rpc-addr=... arguments`` to its end."""
        lines: list[str] = []
        child = Child(
            self._reactor,
            [str(_BINARY), command, self.settings.rpc, *arguments],
            lambda line: lines.append(line.decode(errors="replace")),
        )
        code = await child.wait(within)
        return Outcome(code=code, out="\n".join(lines), err="")

    async def join(self, *addresses: Address, within: float = PATIENCE) -> None:
        """Join others; it is an error if none answers."""
        outcome = await self.serf("join", *map(str, addresses), within=within)
        assert outcome.code == 0, outcome.out

    async def leave(self, within: float = PATIENCE) -> None:
        """Leave the others and end."""
        outcome = await self.serf("leave", within=within)
        assert outcome.code == 0, outcome.out
        await self.child.wait(within)

    async def members(self) -> dict[str, SerfMember]:
        """Every one that it remembers, failed and left ones too."""
        outcome = await self.serf("members", "-format=json")
        assert outcome.code == 0, outcome.out
        return {
            each["name"]: SerfMember(
                name=each["name"],
                address=_address(each["addr"]),
                status=each["status"],
                tags=each["tags"],
            )
            for each in json.loads(outcome.out)["members"]
        }

    def _take(self, line: bytes) -> None:
        """A line of its log; some tell of members."""
        text = line.decode(errors="replace")
        if text == _RUNNING:
            self.events.add(Event(kind="ready", fields={}))
        logged = _LOGGED.search(text)
        if logged is None:
            fields = {"level": "stdout", "text": text}
        else:
            fields = {"level": logged["level"].lower(), "text": logged["text"]}
        self.events.add(Event(kind="log", fields=fields))
        if member := _MEMBER_EVENT.match(fields["text"]):
            told = Event(kind=member["kind"].lower(), fields={"name": member["name"]})
            self.events.add(told)


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return Address(host.strip("[]"), int(port))
