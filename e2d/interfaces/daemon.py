"""The daemon as others see it."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Interface

from e2d.cluster.report import Decision, Report
from e2d.model import Pause

__all__ = ["IDaemonControl", "IDaemonView"]


class IDaemonView(Interface):
    """What can be read of the running daemon; never blocks, never fails."""

    def report() -> Report:
        """Everything, as of the last turn of the loop."""

    def decisions() -> Sequence[Decision]:
        """The last decisions, oldest first, at most 100."""

    def alive() -> bool:
        """
        Whether a turn ended lately, or one is under way within its own limits.

        Well or not: the watchdog's question, to which nobody remote is the answer.
        """


class IDaemonControl(Interface):
    """What the running daemon can be told, by a person known by ``by`` (``uid 0``)."""

    async def pause(pause: Pause) -> None:
        """
        Hands off until the pause ends: kept on disk.

        :raises DataDirectoryError: it could not be kept, so it does not hold.
        """

    async def resume(by: str) -> Pause | None:
        """
        End the pause. Idempotent.

        :return: the pause that was in force; None if none was.
        :raises DataDirectoryError: it could not be ended on disk.
        """

    async def restart_etcd(by: str) -> None:
        """
        Stop etcd and start it again on its data; returns when it was stopped.

        Also forgives the failures counted so far, so a start follows at once.
        """
