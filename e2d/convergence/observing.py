"""
Gathers every source into one `Observation`, each within its own time limit.

Note [A denial proves quorum]

The membership is asked for with a linearizable read first, and possibly with a login
before that. Without a majority neither is answered, not even by a "permission denied":
etcd looks at rights only after it has heard from the leader (tried on 3.4.23, 3.5.16
and 3.6). A denial of what a member answers alone, its status, proves nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from attrs import define, field, frozen

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from e2d.cluster.observation import Observation
from e2d.interfaces import (
    DataDirectoryError,
    EtcdDenied,
    EtcdError,
    IEtcdClient,
    IEtcdDataDirectory,
    IEtcdServer,
    IMembership,
)
from e2d.model import (
    Absent,
    ChildFailed,
    ChildState,
    DataState,
    EtcdMember,
    EtcdStatus,
    Holds,
    MemberID,
    Missing,
    NodeID,
    NodeName,
    Pause,
    Serving,
    Unreadable,
    format_id,
)

__all__ = ["Observer"]

_T = TypeVar("_T")


@define(eq=False, kw_only=True)
class Observer:
    """
    What this node can see.

    :param wall_clock: the time of day, for what a person set an end to.
    :param override: ``overrideName``: wins over every other name.
    :param fresh_name: a name for a member that never had one.
    :param membership: the ring, None where this node does not gossip.
    """

    _clock: IReactorTime
    _wall_clock: Callable[[], datetime]
    _server: IEtcdServer
    _directory: IEtcdDataDirectory
    _client: IEtcdClient
    _override: NodeName | None
    _fresh_name: NodeName
    _membership: IMembership | None = None
    _log: Logger = field(factory=Logger)
    _seen: NodeName | None = field(default=None, init=False)

    async def observe(self, recorded: MemberID | None) -> Observation:
        """
        Look once. Never fails: what did not answer is None.

        :param recorded: the member id that was last put on record, if any.
        """
        child = self._server.state()
        data = await self._examine(child)
        in_place = not isinstance(child, Serving) or await self._in_place()
        # A name that was told once stays, even if its record is lost meanwhile.
        local = self._seen = await self._name(data)
        pause = await self.pause()
        answers = await self._ask(child)
        ring = None if self._membership is None else self._membership.view()
        return Observation(
            now=self._clock.seconds(),
            now_at=self._wall_clock(),
            local=local,
            child=child,
            data=data,
            in_place=in_place,
            status=answers.status,
            members=answers.members,
            alarms=answers.alarms,
            denied=answers.denied,
            list_denied=answers.list_denied,
            node_id=await self._node_id(data) if in_place else None,
            recorded=_is_recorded(answers.status, recorded),
            pause=pause,
            gossip=None if ring is None else ring.members,
            listening_since=None if ring is None else ring.since,
            clashes=() if ring is None else ring.clashes,
            unheard=() if ring is None else ring.unheard,
            untold=() if ring is None else ring.untold,
            ring_problem=None if ring is None else ring.problem,
        )

    async def _examine(self, child: ChildState) -> DataState | None:
        if not isinstance(child, Absent | ChildFailed):
            return None
        try:
            return await self._directory.examine(self._clock.seconds())
        except DataDirectoryError as error:
            return Unreadable(reason=error.message)

    async def _name(self, data: DataState | None) -> NodeName:
        """``overrideName``, else etcd's own record, else e2d's, else a fresh one."""
        if self._override is not None:
            return self._override
        if isinstance(data, Holds) and data.name is not None:
            return data.name
        try:
            kept = await self._directory.node_name()
        except DataDirectoryError as error:
            self._log.debug("{reason}", reason=error.message)
            kept = None
        return kept or self._seen or self._fresh_name

    async def _in_place(self) -> bool:
        try:
            return await self._directory.in_place()
        except DataDirectoryError:
            return True

    async def _node_id(self, data: DataState | None) -> NodeID | None:
        """Not asked where the disk is away: asking for it makes it."""
        if isinstance(data, Missing):
            return None
        try:
            return await self._directory.node_id()
        except DataDirectoryError as error:
            self._log.debug("{reason}", reason=error.message)
            return None

    async def pause(self) -> Pause | None:
        """
        The pause on record, expired or not.

        :return: one without an end if the record cannot be read.
        """
        try:
            return await self._directory.pause()
        except DataDirectoryError as error:
            # What cannot be read may well say "hands off".
            return Pause(
                until_at=datetime.max.replace(tzinfo=UTC),
                by="a record that cannot be read",
                reason=error.message,
            )

    async def _ask(self, child: ChildState) -> _Answers:
        if not (isinstance(child, Serving) and child.answering):
            return _Answers()
        # All three are under way before the first is awaited.
        asked = (
            Deferred.fromCoroutine(_answer(self._client.status())),
            Deferred.fromCoroutine(_answer(self._client.members())),
            Deferred.fromCoroutine(_answer(self._client.alarms())),
        )
        status, members, alarms = await asked[0], await asked[1], await asked[2]
        denials = [
            answer.message
            for answer in (members, status, alarms)
            if isinstance(answer, EtcdDenied)
        ]
        return _Answers(
            status=None if isinstance(status, EtcdError) else status,
            members=None if isinstance(members, EtcdError) else tuple(members),
            alarms=None if isinstance(alarms, EtcdError) else _raised(alarms),
            denied=denials[0] if denials else None,
            list_denied=isinstance(members, EtcdDenied),
        )


async def _answer(call: Awaitable[_T]) -> _T | EtcdError:
    try:
        return await call
    except EtcdError as error:
        return error


@frozen(kw_only=True)
class _Answers:
    status: EtcdStatus | None = None
    members: tuple[EtcdMember, ...] | None = None
    alarms: tuple[tuple[str, str], ...] | None = None
    denied: str | None = None
    list_denied: bool = False


def _is_recorded(status: EtcdStatus | None, recorded: MemberID | None) -> bool:
    return status is not None and status.member_id == recorded


def _raised(alarms: Mapping[MemberID, Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (format_id(member), alarm)
        for member, raised in sorted(alarms.items())
        for alarm in raised
    )
