"""
The data directory: etcd's ``member/`` and e2d's own ``e2d/`` inside it, under one lock.

What blocks runs in the injected pool; what it does is in plain functions on paths:
`e2d.etcd.examination`, `e2d.etcd.swap`, `e2d.etcd.breadcrumb`, `e2d.etcd.records`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from twisted.internet.defer import DeferredLock
from twisted.logger import Logger
from zope.interface import implementer

from e2d.etcd.breadcrumb import Breadcrumb, keep_breadcrumb
from e2d.etcd.disk import explain
from e2d.etcd.examination import (
    FOUNDING,
    MEMBER,
    NODE,
    Examination,
    mark_of,
    read_founding,
    read_node,
)
from e2d.etcd.forms import (
    founding_to_record,
    pause_from_record,
    pause_to_record,
    required,
)
from e2d.etcd.lock import DataDirectoryLock, make_private
from e2d.etcd.member import MARK, WAL, WAL_IN_THE_MAKING
from e2d.etcd.records import Records, read_record, write_record
from e2d.etcd.swap import finish_swap, set_aside
from e2d.etcd.wal import newest_file
from e2d.files import RunInPool, make_directory, remove_file, sync_directory, write_file
from e2d.interfaces import DataDirectoryError, IEtcdDataDirectory
from e2d.model import (
    DataState,
    Empty,
    Founding,
    Holds,
    Lost,
    MemberID,
    Missing,
    NodeID,
    NodeName,
    Pause,
    Unborn,
    Unreadable,
    format_id,
)

__all__ = ["DataDirectory"]

_log = Logger()

_NAME = "name"
_PAUSE = "pause"
_NODE_ID_BYTES = 8


def _names(directory: str) -> Sequence[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return ()


def _is_gone(path: str) -> bool:
    try:
        os.stat(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False  # that cannot be told
    return False


@implementer(IEtcdDataDirectory)
class DataDirectory:
    """
    The data directory of this node.

    :param run_in_pool: runs what blocks.
    :param path: the data directory, absolute; it exists.
    :param state_directory: systemd's ``$STATE_DIRECTORY``, None without.
    :param peer_url: our own, to find our name by if its id does not.
    :param nonce: random bytes, as many as asked for.
    :param lock: of the same directory; acquired by whoever made this.
    :param utc_now: the wall clock, for the names of what is set aside.
    """

    path: str

    def __init__(
        self,
        *,
        run_in_pool: RunInPool,
        path: str,
        state_directory: str | None,
        peer_url: str | None,
        nonce: Callable[[int], bytes],
        utc_now: Callable[[], datetime],
        lock: DataDirectoryLock,
    ) -> None:
        assert os.path.isabs(path)
        self._lock = lock
        self.path = path
        self._own = os.path.join(path, "e2d")
        self._member = os.path.join(path, "member")
        # systemd separates several by colons; the first is the unit's own.
        self._state_directory = (state_directory or "").split(":")[0] or None
        self._run_in_pool = run_in_pool
        self._nonce = nonce
        self._utc_now = utc_now
        self._records = Records(self._own, run_in_pool)
        self._examination = Examination(
            path=path, state_directory=self._state_directory, peer_url=peer_url
        )
        self._one_at_a_time = DeferredLock()
        self._missing_since: float | None = None
        self._examined: DataState | None = None
        self._lived = False
        self._identity: NodeID | None = None
        self._warnings: Sequence[str] = ()

    @property
    def warnings(self) -> Sequence[str]:
        """What an operator should know, a line each: a breadcrumb that was not kept."""
        return self._warnings

    @property
    def member_id(self) -> MemberID | None:
        """Whose data the last examination found, None if nobody's or not known."""
        state = self._examined
        return state.member_id if isinstance(state, Holds) else None

    async def examine(self, now: float) -> DataState:
        """`IEtcdDataDirectory.examine`; what the disk refuses is Unreadable."""
        since = now if self._missing_since is None else self._missing_since
        state = await self._run_in_pool(lambda: self._look(since))
        self._lived = self._lived or isinstance(state, Holds)
        if self._lived and isinstance(state, Empty):
            # The records went with the data: we are what still knows of it.
            state = Lost(founding=None)
        self._missing_since = since if isinstance(state, Missing) else None
        self._examined = state
        return state

    def _look(self, since: float) -> DataState:
        try:
            self._lock.follow()
        except DataDirectoryError as error:
            return Unreadable(reason=error.message)
        return self._examination.examine(since)

    async def in_place(self) -> bool:
        """`IEtcdDataDirectory.in_place`."""
        return await self._run_in_pool(self._is_in_place)

    def _is_in_place(self) -> bool:
        if _is_gone(os.path.join(self._member, WAL)):
            return False
        # The lock may be gone by itself, with all of e2d/.
        self._lock.follow()
        return True

    async def node_id(self) -> NodeID:
        """`IEtcdDataDirectory.node_id`."""
        async with self._one_at_a_time:
            kept = await self._run_in_pool(lambda: read_node(self._own))
            if kept is None:
                kept = self._identity or NodeID(self._nonce(_NODE_ID_BYTES).hex())
                await self._records.write(NODE, {"id": kept})
            self._identity = kept
            return kept

    async def node_name(self) -> NodeName | None:
        """`IEtcdDataDirectory.node_name`."""
        record = await self._records.read(_NAME)
        if record is None:
            return None
        return NodeName(required(record, "name", str, self._where(_NAME)))

    async def record_name(self, name: NodeName) -> None:
        """`IEtcdDataDirectory.record_name`."""
        async with self._one_at_a_time:
            await self._run_in_pool(lambda: self._renew(_NAME, {"name": name}))

    async def founding(self) -> Founding | None:
        """`IEtcdDataDirectory.founding`."""
        return await self._run_in_pool(lambda: read_founding(self._own))

    async def record_founding(self, founding: Founding) -> None:
        """`IEtcdDataDirectory.record_founding`."""
        node_id = await self.node_id()
        async with self._one_at_a_time:
            await self._run_in_pool(lambda: self._found(founding, node_id))
            self._lived = self._lived or founding.started

    def _found(self, founding: Founding, node_id: NodeID) -> None:
        current = read_founding(self._own)
        if current is not None and current.started:
            same = current.founding_id == founding.founding_id
            if not (same and founding.started):
                raise DataDirectoryError(
                    f"{self._where(FOUNDING)}: founding {current.founding_id} was "
                    "started here and is never replaced; move the data directory away "
                    "to found anew"
                )
        if founding.started:
            self._prepare(mark_of(founding, node_id))
        write_record(self._own, FOUNDING, founding_to_record(founding))

    def _prepare(self, mark: bytes) -> None:
        """
        Make ``member/`` ready for the first exec: the mark in it, no log in the way.

        The mark comes before the record of the start: the other way round, a kill
        between the two would look like data lost.
        """
        state = self._examination.examine(0.0)
        if not isinstance(state, Empty | Unborn):
            raise DataDirectoryError(
                f"{self._member}: no cluster is founded here: the directory is "
                f"{type(state).__name__}, not Empty"
            )
        log = os.path.join(self._member, WAL)
        try:
            make_directory(self._member)
            make_private(self._member)
            if newest_file(_names(log)) is not None:
                # Nobody wrote to it: see Note [A log nobody wrote to]. Etcd waits for
                # ever on such a log, but clears it away from where it makes new ones.
                os.rename(log, os.path.join(self._member, WAL_IN_THE_MAKING))
                sync_directory(self._member)
            write_file(os.path.join(self._member, MARK), mark)
        except OSError as error:
            raise explain(error, self._member, "prepare it for etcd") from error

    async def record_member(self, holds: DataState) -> None:
        """`IEtcdDataDirectory.record_member`; see `warnings` for the breadcrumb."""
        assert isinstance(holds, Holds)
        self._lived = True
        breadcrumb = Breadcrumb(
            data_directory=self.path,
            node_id=await self.node_id(),
            name=holds.name,
            member_id=holds.member_id,
            cluster_id=holds.cluster_id,
        )
        async with self._one_at_a_time:
            self._warnings = await self._run_in_pool(lambda: self._lives(breadcrumb))

    def _lives(self, breadcrumb: Breadcrumb) -> Sequence[str]:
        # First that it lives, then without the mark: in between it is neither.
        self._renew(
            MEMBER,
            {
                "member": format_id(breadcrumb.member_id),
                "cluster": format_id(breadcrumb.cluster_id),
            },
        )
        mark = os.path.join(self._member, MARK)
        try:
            remove_file(mark)
        except OSError as error:
            raise explain(error, mark, "remove the mark") from error
        return keep_breadcrumb(breadcrumb, self._state_directory)

    async def set_aside(self, reason: str) -> str:
        """`IEtcdDataDirectory.set_aside`."""
        now_at = self._utc_now()
        async with self._one_at_a_time:
            return await self._run_in_pool(lambda: set_aside(self.path, reason, now_at))

    async def finish_swap(self) -> None:
        """`IEtcdDataDirectory.finish_swap`."""
        async with self._one_at_a_time:
            await self._run_in_pool(lambda: finish_swap(self.path))

    async def pause(self) -> Pause | None:
        """`IEtcdDataDirectory.pause`."""
        record = await self._records.read(_PAUSE)
        if record is None:
            return None
        return pause_from_record(record, self._where(_PAUSE))

    async def record_pause(self, pause: Pause) -> None:
        """`IEtcdDataDirectory.record_pause`."""
        await self._records.write(_PAUSE, pause_to_record(pause))

    def _renew(self, name: str, record: Mapping[str, object]) -> None:
        """Write a record unless it says the same already: a full disk can be read."""
        try:
            if read_record(self._own, name) == record:
                return
        except DataDirectoryError as error:
            _log.warn("Replaced: {reason}", reason=error.message)
        write_record(self._own, name, record)

    def _where(self, name: str) -> str:
        return os.path.join(self._own, f"{name}.json")
