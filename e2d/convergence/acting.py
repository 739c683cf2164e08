"""Performs a plan's steps in order, comparing right before each what it expects."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from attrs import define, evolve, field

from twisted.internet.interfaces import IReactorTime

from e2d.cluster.steps import (
    FinishSwap,
    Halt,
    Plan,
    RecordMember,
    RestartMember,
    StartCluster,
    Step,
    UpdatePeerURL,
    Wait,
    describe,
)
from e2d.interfaces import (
    DataDirectoryError,
    EtcdError,
    IEtcdClient,
    IEtcdDataDirectory,
    IEtcdServer,
)
from e2d.model import (
    Absent,
    DataState,
    Empty,
    EtcdRole,
    EtcdStart,
    EtcdStatus,
    Founding,
    Holds,
    InitialState,
    MemberID,
    NodeName,
    Unborn,
    format_id,
)

__all__ = ["DONE", "NOTHING_TO_DO", "Actor", "StepFailed"]

DONE = "done"
NOTHING_TO_DO = "nothing to do"


class StepRefused(Exception):
    """What a step expected is no longer so; the next turn decides anew."""


class StepFailed(Exception):
    """
    A step could not be done.

    :param step: which.
    :param reason: one line.
    """

    def __init__(self, step: Step, reason: str) -> None:
        super().__init__(f"could not {describe(step)}: {reason}")
        self.step = step


@define(eq=False, kw_only=True)
class Actor:
    """
    The only one who changes anything.

    :param nonce: so many random bytes, for a founding's id.
    """

    _clock: IReactorTime
    _server: IEtcdServer
    _directory: IEtcdDataDirectory
    _client: IEtcdClient
    _cluster_name: str
    _peer_url: str
    _nonce: Callable[[int], bytes]
    starts: int = field(default=0, init=False)
    recorded: MemberID | None = field(default=None, init=False)
    warning: str | None = field(default=None, init=False)

    async def perform(self, plan: Plan) -> str:
        """
        Do the steps until one fails.

        :return: ``done`` or ``nothing to do``.
        :raises StepFailed: one could not be done; none after it was tried.
        """
        outcome = NOTHING_TO_DO
        for step in plan.steps:
            try:
                outcome = await self._perform(step)
            except (StepRefused, DataDirectoryError, EtcdError) as error:
                raise StepFailed(step, str(error)) from error
        return outcome

    async def adopt(self) -> bool:
        """
        Take over an etcd that an earlier e2d left running here, if there is one.

        :return: whether it was looked for; it is not where the disk cannot be read.
        """
        if not isinstance(self._server.state(), Absent):
            return True  # one was started since
        try:
            # Whose data it is tells whether an etcd that answers is the one to take.
            await self._directory.examine(self._clock.seconds())
        except DataDirectoryError:
            return False  # nothing is started then, and what is wrong is observed
        if await self._server.adopt():
            self.starts += 1
        return True

    async def _perform(self, step: Step) -> str:
        match step:
            case StartCluster():
                await self._start_cluster(step)
            case RestartMember():
                await self._restart_member(step)
            case FinishSwap():
                await self._directory.finish_swap()
            case RecordMember():
                await self._record_member(step)
            case UpdatePeerURL():
                await self._update_peer_url(step)
            case Wait() | Halt():
                return NOTHING_TO_DO
            case _:
                assert_never(step)
        return DONE

    async def _start_cluster(self, step: StartCluster) -> None:
        data = await self._directory.examine(self._clock.seconds())
        founding = self._founding(step, data)
        await self._directory.record_name(step.name)
        # On disk before the first exec (A2): from here on, empty means lost.
        await self._directory.record_founding(founding)
        await self._start(
            step.name, founding.peers, founding.founding_id, InitialState.NEW
        )

    def _founding(self, step: StartCluster, data: DataState) -> Founding:
        match data:
            case Empty() if step.founding is None:
                return Founding(
                    founding_id=self._nonce(16).hex(),
                    cluster_name=self._cluster_name,
                    peers=((step.name, step.peer_url),),
                    started=True,
                )
            case Unborn(founding=founding) if founding == step.founding:
                # No write was ever acknowledged under it: name and address may
                # have been reconfigured since.
                return Founding(
                    founding_id=founding.founding_id,
                    cluster_name=founding.cluster_name,
                    peers=((step.name, step.peer_url),),
                    started=True,
                )
            case _:
                raise StepRefused("the data directory changed since it was examined")

    async def _restart_member(self, step: RestartMember) -> None:
        data = await self._directory.examine(self._clock.seconds())
        if not (isinstance(data, Holds) and data.member_id == step.member_id):
            raise StepRefused("the data directory changed since it was examined")
        await self._write_down(step.name, data)
        # EXISTING: should the data vanish under our hands, etcd must not found.
        peers = ((step.name, self._peer_url),)
        # The token is read by an etcd without data only, which this one is not.
        await self._start(step.name, peers, "e2d", InitialState.EXISTING)

    async def _write_down(self, name: NodeName, data: Holds) -> None:
        """
        What lives here, before it is started: from then on empty means lost (A2).

        A member is not kept from its own data because that cannot be written down: on
        a full disk etcd itself still serves.
        """
        try:
            await self._directory.record_name(name)
            await self._directory.record_member(evolve(data, name=name))
        except DataDirectoryError as error:
            self.warning = (
                f"{error.message}; until this can be written, a loss of"
                " the data would look like a new machine"
            )
        else:
            self.warning = None

    async def _start(
        self,
        name: NodeName,
        peers: tuple[tuple[NodeName, str], ...],
        token: str,
        state: InitialState,
    ) -> None:
        self.starts += 1
        await self._server.start(
            EtcdStart(name=name, peers=peers, token=token, state=state)
        )

    async def _record_member(self, step: RecordMember) -> None:
        status = await self._client.status()
        if status.member_id != step.member_id:
            raise StepRefused("another member answers than a moment ago")
        await self._must_be_ours(status)
        name = await self._directory.node_name()
        await self._directory.record_member(
            Holds(member_id=status.member_id, cluster_id=status.cluster_id, name=name)
        )
        self.recorded = status.member_id

    async def _must_be_ours(self, status: EtcdStatus) -> None:
        """A stranger may have been quicker to take the port that clients use."""
        data = await self._directory.examine(self._clock.seconds())
        if not isinstance(data, Holds):
            raise StepRefused("etcd answers, and its log cannot be read yet")
        answers = (status.cluster_id, status.member_id)
        if answers != (data.cluster_id, data.member_id):
            raise StepRefused(
                f"another etcd answers (member {format_id(status.member_id)}) than the"
                f" one whose data is here (member {format_id(data.member_id)}): end it,"
                " or change clientAddr"
            )

    async def _update_peer_url(self, step: UpdatePeerURL) -> None:
        status = await self._client.status()
        if status.member_id != step.member_id:
            raise StepRefused("another member answers than a moment ago")
        voters = [
            (member.member_id, member.role) for member in await self._client.members()
        ]
        if voters != [(step.member_id, EtcdRole.VOTER)]:
            raise StepRefused("this member is no longer the only one")
        await self._client.update_peer_urls(step.member_id, (step.peer_url,))
