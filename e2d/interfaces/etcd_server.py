"""The etcd process of this node."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zope.interface import Interface

from e2d.model import ChildState, EtcdStart, EtcdVersion

__all__ = ["IEtcdServer"]


class IEtcdServer(Interface):
    """
    The one etcd process of this node: started, watched, stopped, adopted.

    It decides nothing: it says what is (`state`), tells subscribers that it changed,
    and computes when another start is worth trying.
    """

    def state() -> ChildState:
        """What is now."""

    def version() -> EtcdVersion | None:
        """The etcd binary's version, None before it was asked."""

    def warnings() -> Sequence[str]:
        """What an operator should know of this binary or process, a line each."""

    def subscribe(listener: Callable[[], None]) -> None:
        """Call ``listener`` after each change of `state`."""

    async def adopt() -> bool:
        """
        Look for an etcd that an earlier e2d left running on this data directory.

        :return: True if there is one and it is ours now: `state` is Starting or
            Serving. An etcd on our data that cannot be ours makes `state`
            ChildFailed(DATA_LOCKED).
        """

    async def start(start: EtcdStart) -> None:
        """
        Execute etcd. Returns when it runs or failed to; the rest is seen in `state`.

        Only when `state` is Absent or ChildFailed.
        """

    async def stop() -> None:
        """
        SIGTERM, then SIGKILL after a bound; returns when the process is gone.

        From any state, and then `state` is Absent. Idempotent.
        """

    def forgive() -> None:
        """Forget the failures counted so far: the next start is worth trying now."""
