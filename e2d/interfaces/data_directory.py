"""The data directory of this node."""

from __future__ import annotations

from zope.interface import Attribute, Interface

from e2d.model import DataState, Founding, NodeID, NodeName, Pause

__all__ = ["DataDirectoryError", "IEtcdDataDirectory"]


class DataDirectoryError(Exception):
    """
    The data directory cannot be used.

    :param message: one line with the path, what is wrong and what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class IEtcdDataDirectory(Interface):
    """
    etcd's directory and e2d's own records inside it (A7): ``<dataDir>/e2d/``.

    Records are replaced atomically and are on disk when a call returns.

    :raises DataDirectoryError: from any call, when the disk says no.
    """

    path: str = Attribute("Absolute path.")

    async def examine(now: float) -> DataState:
        """
        What is there. While etcd runs on it only whose it is can be relied on (C12).

        It waits for nobody: a database that another process has locked is not read,
        and then `Holds` has no name. What the disk refuses to show is `Unreadable`.

        :param now: seconds of the reactor's clock, for `Missing.since`.
        """

    async def in_place() -> bool:
        """
        Whether etcd's log is where it was, while etcd runs on it.

        False only when it is certain that it is not.
        """

    async def node_id() -> NodeID:
        """The id of the disk; made on the first call."""

    async def node_name() -> NodeName | None:
        """The name recorded by `record_name`."""

    async def record_name(name: NodeName) -> None:
        """Keep the name for the next start."""

    async def founding() -> Founding | None:
        """The founding recorded here."""

    async def record_founding(founding: Founding) -> None:
        """
        Keep a founding.

        With ``started`` it also makes ``member/`` ready for the first exec: it leaves
        the mark that proves, until `record_member`, that etcd was not yet seen to
        live here, and puts a log out of the way that a kill left without any entry.
        Call it before each exec for a founding. Idempotent.

        :raises DataDirectoryError: also when the directory is neither Empty nor
            Unborn, or another founding was started here: no cluster is founded then.
        """

    async def record_member(holds: DataState) -> None:
        """
        Etcd lives here: drop the mark, renew the breadcrumb outside. Idempotent.

        :param holds: a `Holds`.
        """

    async def set_aside(reason: str) -> str:
        """
        Move ``member/`` out of the way, never deleting it (A14).

        :return: where it is now.
        :raises DataDirectoryError: also when the limit of things set aside is reached.
        """

    async def finish_swap() -> None:
        """Finish or undo a swap that was cut short. Idempotent."""

    async def pause() -> Pause | None:
        """The pause on record, expired or not."""

    async def record_pause(pause: Pause) -> None:
        """Keep a pause; one that is over ends any before it."""
