"""What the ring's log says of bad input: each thing once, not with every packet."""

from __future__ import annotations

from attrs import define, field

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

__all__ = ["Complaints"]

AGAIN_SECONDS = 600.0
"""Who looks at the log after a while should find it again."""

KEPT = 256
"""Whoever forges sources fills this, not the log."""


@define(eq=False)
class Complaints:
    """
    Warns of whom this node cannot understand, or who cannot understand it.

    An address and a reason are said once in a while; beyond a bound, none is.
    """

    _clock: IReactorTime
    _log: Logger
    _said: dict[tuple[str, str], float] = field(factory=dict, init=False)

    def about(self, host: str, port: int, why: str, reason: str) -> None:
        """
        Warn, unless it was said lately.

        :param host: where it came from; a port changes with each connection and does
            not count.
        :param why: in a word, by which things are told apart.
        :param reason: one line, without what was received.
        """
        now = self._clock.seconds()
        key = (host, why)
        said = self._said.get(key)
        if said is not None and now - said < AGAIN_SECONDS:
            return
        if said is None and not self._room(now):
            return
        self._said[key] = now
        self._log.warn(
            "Gossip with {host} port {port}: {reason}",
            host=host,
            port=port,
            reason=reason,
        )

    def _room(self, now: float) -> bool:
        if len(self._said) >= KEPT:
            self._said = {
                key: at for key, at in self._said.items() if now - at < AGAIN_SECONDS
            }
        return len(self._said) < KEPT
