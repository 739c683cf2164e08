"""Peers of ours beside those of memberlist: a process for one, or for some."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from e2d.interfaces import IDaemonReactor
from tests.integration.children import Child
from tests.integration.commanded import CommandedPeer, PeerSettings
from tests.integration.events import PATIENCE, Start

__all__ = ["OurHost", "OurPeer", "OurSettings"]

_ROOT = Path(__file__).resolve().parents[2]
_LACKING = ("skip_inbound_label_check", "require_node_names", "handoff_queue_depth")


@frozen(kw_only=True)
class OurSettings(PeerSettings):
    """
    How a peer of ours is run: as one of memberlist, but for what it does not have.

    :param rejoin: how often, in seconds, it joins again whom it was told to join once.
    :param late_after: see `e2d.swim.settings.Settings`.
    """

    rejoin: float | None = None
    late_after: float | None = None
    settle_after_pause: float | None = None

    def __attrs_post_init__(self) -> None:
        for name in _LACKING:
            assert getattr(self, name) is None, f"ours has no {name}"

    def argument(self) -> str:
        """One argument of ``ourpeer_run.py``."""
        given = asdict(
            self, filter=lambda _, value: value is not None, value_serializer=_plain
        )
        return json.dumps(given)


def _plain(_owner: object, _attribute: object, value: Any) -> Any:  # noqa: ANN401 - attrs
    return value.hex() if isinstance(value, bytes) else value


def _command(settings: Sequence[OurSettings]) -> list[str]:
    arguments = [each.argument() for each in settings]
    path = f"PYTHONPATH={_ROOT}"
    module = "tests.integration.ourpeer_run"
    return ["env", path, sys.executable, "-m", module, *arguments]


class OurPeer(CommandedPeer):
    """
    One peer of ours; see `CommandedPeer`.

    Its more events are in ``ourpeer_news.py``.

    :param start: for one in a process that has more; None: in its own.
    """

    def __init__(
        self,
        reactor: IDaemonReactor,
        settings: OurSettings,
        start: Start | None = None,
    ) -> None:
        start = start or partial(Child, reactor, _command([settings]))
        super().__init__(reactor, settings, start)

    async def cut(self, *others: CommandedPeer) -> None:
        """Lose all packets to and from these, and no longer to others."""
        await self.command("cut", addrs=[str(each.address) for each in others])

    async def traffic(self) -> dict[str, Any]:
        """Its counters."""
        traffic = await self.command("traffic")
        assert isinstance(traffic, dict)
        return traffic

    async def command(
        self,
        do: str,
        within: float = PATIENCE,
        **arguments: str | bytes | float | Sequence[str],
    ) -> Any:  # noqa: ANN401 - each command has an answer of its own
        """See `CommandedPeer.command`."""
        return await super().command(do, within, peer=self.name, **arguments)


class OurHost:
    """
    One process with many peers of ours: killed and frozen together.

    :param settings: of each.
    :ivar peers: in the same order.
    """

    def __init__(
        self, reactor: IDaemonReactor, settings: Sequence[OurSettings]
    ) -> None:
        self._takers: dict[bytes, Callable[[bytes], None]] = {}
        self._ends: list[Callable[[], None]] = []
        self._child = Child(reactor, _command(settings), self._take, self._end)
        self.peers = [
            OurPeer(reactor, each, partial(self._adopt, each.name)) for each in settings
        ]

    def _adopt(
        self, name: str, take: Callable[[bytes], None], end: Callable[[], None]
    ) -> Child:
        self._takers[f'{{"peer": {json.dumps(name)}, '.encode()] = take
        self._ends.append(end)
        return self._child

    def _take(self, line: bytes) -> None:
        """To whom it is about; to all, where it is no event."""
        for beginning, take in self._takers.items():
            if line.startswith(beginning):
                take(line)
                return
        for take in self._takers.values():
            take(line)

    def _end(self) -> None:
        for end in self._ends:
            end()
