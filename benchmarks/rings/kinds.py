"""The two kinds of rings: ours, and those of HashiCorp's memberlist."""

from __future__ import annotations

import itertools
import json
import os
import random
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from rings.processes import Crowd, Process, Unmeasured

__all__ = [
    "GO_LINES",
    "Command",
    "Place",
    "Ring",
    "Said",
    "bare",
    "go",
    "has_labels",
    "members",
]

ROOT = Path(__file__).resolve().parents[2]
PROFILE = "lan"
GO_LINES = ("0.7", "0.2")

Command = Sequence[str | Path]
Place = Callable[[Command], Command]
"""Where a command runs: a network of its own, or this one."""

_given: set[int] = set()


def free_port() -> int:
    """A port of loopback on which nobody listens, never the same twice."""
    low, _, high = os.environ.get("E2D_PORTS", "20000-32000").partition("-")
    while True:
        port = random.randrange(int(low), int(high))
        with socket.socket() as probe:
            if port in _given or probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
        _given.add(port)
        return port


def go_binary(line: str) -> Path:
    """
    The program with a release line of memberlist.

    :raises Unmeasured: it was not built.
    """
    binary = ROOT / "build" / "gopeer" / line / "gopeer"
    if not binary.exists():
        raise Unmeasured(f"no peer with memberlist {line}: run scripts/build-gopeer")
    return binary


@define(eq=False)
class Ring:
    """
    Members of one kind, on loopback, with the settings for a local network.

    :param letter: begins the names of its members: each ring of a crowd has another.
    :param make: gives the command for a process: by names of members, their ports; and
        the port of the one whom all join.
    :param joins: its members have to be told to join.
    :ivar ready: what each told when it was ready.
    :ivar alive: for each member, those whom it holds alive.
    :ivar left_at: for a member and one whom it held dead, since when; in seconds of
        CLOCK_MONOTONIC.
    """

    letter: str
    make: Callable[[Mapping[str, int], int], Command]
    joins: bool
    crowd: Crowd
    place: Place
    seed: int = field(factory=free_port, init=False)
    ready: dict[str, dict[str, Any]] = field(factory=dict, init=False)
    alive: dict[str, set[str]] = field(factory=dict, init=False)
    left_at: dict[tuple[str, str], float] = field(factory=dict, init=False)
    _count: itertools.count[int] = field(factory=itertools.count, init=False)

    def start(self, count: int) -> Process:
        """One more process, with so many members, which join the ring."""
        numbers = [next(self._count) for _ in range(count)]
        ports = {
            f"{self.letter}{number:02}": free_port() if number else self.seed
            for number in numbers
        }
        command = self.make(ports, self.seed)
        process = self.crowd.start(tuple(ports), self.place(command))
        for name in process.names:
            self.alive[name] = set()
        self.crowd.wait(f"{process.names} are ready", lambda: self._are_ready(process))
        if self.joins:
            for name in process.names:
                address = f"127.0.0.1:{self.seed}"
                process.tell("join", peer=name, addrs=[address])
        return process

    def kill(self, process: Process) -> float:
        """See `Crowd.kill`."""
        for name in process.names:
            del self.alive[name]
        return self.crowd.kill(process)

    def gather(self) -> None:
        """Wait until everybody knows everybody."""
        names = set(self.alive)
        self.crowd.wait(
            f"{len(names)} members see each other",
            lambda: all(names <= seen for seen in self.alive.values()),
        )

    def hear(self, event: dict[str, Any]) -> None:
        """What a member of it told."""
        name, kind = event["peer"], event["event"]
        if kind == "ready":
            self.ready[name] = event
        elif name in self.alive and kind == "join":
            self.alive[name].add(event["node"]["name"])
        elif name in self.alive and kind == "leave":
            gone = event["node"]["name"]
            self.alive[name].discard(gone)
            self.left_at[name, gone] = event["at"]

    def _are_ready(self, process: Process) -> bool:
        return all(name in self.ready for name in process.names)


def has_labels(line: str) -> bool:
    """Whether that release line of memberlist knows labels."""
    return line != "0.2"


@frozen
class Said:
    """
    What a member says of itself, in hexadecimal.

    :param state: what it adds to exchanges of states.
    """

    metadata: str
    state: str


def go(
    line: str, label: str = "", says: Callable[[str], Said] = lambda _: Said("", "")
) -> Callable[..., Command]:
    """
    Members made with memberlist, one a process.

    :param says: asked with the name of each.
    """
    binary = go_binary(line)

    def make(ports: Mapping[str, int], _seed: int) -> Command:
        ((name, port),) = ports.items()
        said = says(name)
        flags = {"name": name, "bind": "127.0.0.1", "port": port, "profile": PROFILE}
        flags |= {"meta": said.metadata, "state": said.state}
        if label:
            flags["label"] = label
        return [binary, *(f"-{flag}={value}" for flag, value in flags.items())]

    return make


def bare(ports: Mapping[str, int], _seed: int) -> Command:
    """Members of ours that do what memberlist does, and nothing else."""
    settings = {"bind": "127.0.0.1", "profile": PROFILE, "keys": []}
    arguments = [
        json.dumps({"name": name, "port": port, **settings})
        for name, port in ports.items()
    ]
    return _python("tests.integration.ourpeer_run", arguments)


def members(directory: Path, label: str) -> Callable[..., Command]:
    """
    Members of ours as a daemon has them.

    :param directory: where each may remember its peers.
    """

    def make(ports: Mapping[str, int], seed: int) -> Command:
        arguments = []
        for name, port in ports.items():
            (directory / name / "e2d").mkdir(parents=True)
            options = {"name": name, "port": port, "seeds": [f"127.0.0.1:{seed}"]}
            options |= {"label": label, "directory": str(directory / name)}
            arguments.append(json.dumps(options))
        return _python("rings.member", arguments)

    return make


def _python(module: str, arguments: Sequence[str]) -> Command:
    path = f"PYTHONPATH={ROOT / 'benchmarks'}:{ROOT}"
    return ["env", path, sys.executable, "-m", module, *arguments]
