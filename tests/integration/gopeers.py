"""
Real peers of memberlist: which lines this machine has, and peers of them on loopback.

``scripts/build-gopeer`` builds ``gopeer/main.go`` with releases of memberlist; each
peer here is one such process. It tells what happens to it as events and obeys commands,
of which ``gopeer/commands.go`` has the list.
"""

from __future__ import annotations

import subprocess
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from e2d.interfaces import IDaemonReactor
from tests.integration.children import Child
from tests.integration.commanded import CommandedPeer, PeerSettings
from tests.integration.lines import on_each

__all__ = [
    "GoPeer",
    "PeerLine",
    "find_peers",
    "newest_peer",
    "oldest_peer",
    "on_each_peer",
]

C = TypeVar("C", bound=type)

_ROOT = Path(__file__).resolve().parents[2]
_LABELS_SINCE = (0, 3)


@frozen
class PeerLine:
    """
    A release line of memberlist and the program with it, if there is one.

    :param binary: None if it was not built.
    """

    name: str
    binary: Path | None
    version: str = ""

    @property
    def suffix(self) -> str:
        """For names of tests: ``0_2``."""
        return self.name.replace(".", "_")

    @property
    def missing(self) -> str | None:
        """Why tests of this line are skipped."""
        if self.binary is not None:
            return None
        return f"no peer with memberlist {self.name}: run scripts/build-gopeer"

    @property
    def number(self) -> tuple[int, ...]:
        """``(0, 2)``."""
        return tuple(map(int, self.name.split(".")))

    @property
    def has_labels(self) -> bool:
        """Whether this release knows labels."""
        return self.number >= _LABELS_SINCE


@cache
def find_peers() -> tuple[PeerLine, ...]:
    """Debian's line, which tests insist on, and every other that was built, by age."""
    found = {"0.2": PeerLine("0.2", None)}
    for binary in (_ROOT / "build" / "gopeer").glob("*/gopeer"):
        answer = subprocess.run(
            [binary, "-version"], capture_output=True, text=True, timeout=30, check=True
        )
        name = binary.parent.name
        found[name] = PeerLine(name, binary, answer.stdout.strip())
    return tuple(sorted(found.values(), key=lambda line: line.number))


def oldest_peer() -> PeerLine:
    """Debian's line: memberlist 0.2, with the old codec and without labels."""
    return find_peers()[0]


def newest_peer() -> PeerLine:
    """The newest line that was built; one that is missing if none has labels."""
    newest = find_peers()[-1]
    return newest if newest.has_labels else PeerLine("0.7", None)


def on_each_peer(cls: C) -> C:
    """Make of each ``test_x(self, line)`` one ``test_x_0_2(self)`` a line."""
    return on_each(find_peers(), cls)


class GoPeer(CommandedPeer):
    """
    One process of memberlist.

    :ivar line: what it is made of.
    """

    def __init__(
        self, reactor: IDaemonReactor, line: PeerLine, settings: PeerSettings
    ) -> None:
        self.line = line
        command = [str(line.binary), *settings.arguments()]
        super().__init__(reactor, settings, partial(Child, reactor, command))
