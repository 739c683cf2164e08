"""
The one etcd of this node, behind `IEtcdServer`.

A thin face: `e2d.etcd.lifecycle` knows the states, `e2d.etcd.launching` makes and finds
the process, `e2d.etcd.watched` holds it, `e2d.etcd.health` asks it how it is. It never
decides to start etcd again: it says when that would be worth trying.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Self

from attrs import define

from twisted.internet import defer
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from e2d.etcd.child import Child
from e2d.etcd.command import EtcdSettings, settings_warnings
from e2d.etcd.diagnosis import Exit, diagnose
from e2d.etcd.disk import has_no_room
from e2d.etcd.health import HealthWatch, Probe
from e2d.etcd.launches import Launch
from e2d.etcd.launching import (
    Adopted,
    Launcher,
    LaunchFailed,
    Prepared,
    log_path,
    unforeseen,
)
from e2d.etcd.lifecycle import Inputs, build_lifecycle
from e2d.etcd.logfile import LogFile, LogFollower
from e2d.etcd.logs import LogLine
from e2d.etcd.processes import Processes
from e2d.etcd.records import Records
from e2d.etcd.versions import version_warnings
from e2d.etcd.watched import Core, Patience
from e2d.files import RunInPool
from e2d.interfaces import IDaemonReactor, IEtcdServer
from e2d.model import (
    Absent,
    ChildFailed,
    ChildState,
    EtcdStart,
    EtcdVersion,
    MemberID,
    ProblemKind,
    Serving,
    Starting,
    format_id,
)
from e2d.services import Backoff

__all__ = ["EtcdSupervisor", "Patience"]

_LINES_KEPT = 200
_DIAGNOSIS_SECONDS = 2.0
_LEFT_SECONDS = 2.0


@implementer(IEtcdServer)
class EtcdSupervisor:
    """
    The etcd of this node.

    :param probe: asks etcd for its status, through its client API.
    :param run_in_pool: runs what may block.
    :param environment: e2d's own, of which etcd inherits little.
    :param make_id: 16 or more random hexadecimal digits, new each time.
    :param expected_member: whose data the directory holds, None if that is not known.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IDaemonReactor,
        probe: Probe,
        records: Records,
        run_in_pool: RunInPool,
        settings: EtcdSettings,
        *,
        random: Random,
        environment: Mapping[str, str],
        make_id: Callable[[], str],
        expected_member: Callable[[], MemberID | None] = lambda: None,
        processes: Processes | None = None,
        backoff: Backoff | None = None,
        patience: Patience | None = None,
    ) -> None:
        patience = patience or Patience()
        self._clock: IReactorTime = reactor
        self._settings = settings
        self._run_in_pool = run_in_pool
        self._adoption: str | None = None
        self._comparing: Deferred[None] | None = None
        self._stops = 0
        self._lines: deque[LogLine] = deque(maxlen=_LINES_KEPT)
        self._follower = LogFollower(
            reactor,
            LogFile(log_path(settings.data_dir)),
            run_in_pool,
            self._lines.append,
        )
        self._launcher = Launcher(
            reactor,
            records,
            run_in_pool,
            processes or Processes(),
            settings,
            environment,
            make_id,
        )
        self._core = Core(
            clock=reactor,
            health=HealthWatch(reactor, probe, patience.health),
            patience=patience,
            backoff=backoff or Backoff(),
            random=random,
            diagnose=self._diagnose,
            clear=self._clear,
            expected_member=expected_member,
            log=self._log,
        )
        self._inputs = build_lifecycle(self._core)

    def state(self) -> ChildState:
        """What is now."""
        return self._core.visible

    def version(self) -> EtcdVersion | None:
        """The binary's version, None before it was asked."""
        return self._launcher.version

    def warnings(self) -> Sequence[str]:
        """What an operator should know, a line each."""
        version = self._launcher.version
        return (
            *settings_warnings(self._settings),
            *(() if version is None else version_warnings(version)),
            *self._launcher.warnings,
            *(() if self._adoption is None else (self._adoption,)),
            *self._stranger(),
            *(() if self._core.stuck is None else (self._core.stuck,)),
        )

    def _stranger(self) -> Sequence[str]:
        """Who answers in place of our etcd."""
        if self._core.stranger is None:
            return ()
        who = f"member {format_id(self._core.stranger)}"
        where = self._settings.client.listen
        why = "end what listens there (ss -ltnp shows it)"
        if self._core.adopted:
            why = (
                "etcd runs with other addresses than configured: e2d restart applies "
                "them"
            )
        return (f"{who} answers on {where}, which is not ours; {why}",)

    def reconfigure(self, settings: EtcdSettings) -> None:
        """
        Start etcd with other settings from the next start on; what runs, runs on.

        :param settings: of the same data directory.
        """
        assert settings.data_dir == self._settings.data_dir
        self._settings = settings
        self._launcher.reconfigure(settings)

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each change of `state`."""
        self._core.listeners.append(listener)

    def forgive(self) -> None:
        """Forget the failures counted so far."""
        self._inputs.forgive()

    async def adopt(self) -> bool:
        """Look for an etcd that an earlier e2d left running, and watch it."""
        if not await self._begin():
            return False
        async with _Attempt(self._inputs, self._log) as attempt:
            await self._take_over(attempt)
        return isinstance(self._core.visible, Starting | Serving)

    async def _take_over(self, attempt: _Attempt) -> None:
        adopted = await self._launcher.adopt(self._inputs.exited)
        if adopted is None:
            return
        pid = adopted.child.pid
        attempt.adopted(adopted)
        self._log.info("Adopted the etcd that runs already (pid {pid})", pid=pid)
        if not self._core.withdrawn:
            self._compare(adopted.launch)
        await self._follower.start(f"/proc/{pid}/fd/2")

    async def start(self, start: EtcdStart) -> None:
        """Execute etcd, or adopt one of ours that could not be looked for before."""
        if not await self._begin():
            return
        async with _Attempt(self._inputs, self._log) as attempt:
            try:
                prepared = await self._launcher.prepare(start)
            except LaunchFailed as error:
                if error.problem.kind is not ProblemKind.DATA_LOCKED:
                    raise
                await self._take_over(attempt)
                return
            child = await self._execute(prepared, attempt)
            if child is not None:
                await self._launcher.remember(prepared, child)

    async def _begin(self) -> bool:
        """Wait for the end of a stop; False if it was told to stop again meanwhile."""
        assert isinstance(self._core.visible, Absent | ChildFailed)
        stops = self._stops
        if self._core.clearing:
            await self._core.nothing_left()
        if self._stops != stops:
            return False
        self._inputs.begin()
        return True

    async def _execute(self, prepared: Prepared, attempt: _Attempt) -> Child | None:
        try:
            await self._follower.stop()
            self._lines.clear()
            await self._follower.start()
            if self._core.withdrawn:
                return None
            child = self._launcher.execute(prepared, self._inputs.exited)
            attempt.spawned(child)
            return child
        finally:
            prepared.close()
            if not attempt.succeeded:
                await self._follower.stop()

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL after a bound; returns when the process is gone."""
        self._stops += 1
        gone = self._core.nothing_left()
        self._inputs.terminate()
        await gone

    def _compare(self, launch: Launch | None) -> None:
        # Beside everything else: whoever watches etcd does not wait for its binary.
        comparing = Deferred.fromCoroutine(self._launcher.compare(launch))
        self._comparing = comparing.addCallbacks(self._compared, self._not_compared)

    def _compared(self, warning: str | None) -> None:
        self._adoption = warning
        if warning is not None:
            self._log.warn("{reason}", reason=warning)

    def _not_compared(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("etcd's settings could not be compared", failure=failure)

    def _forget_adoption(self) -> None:
        if self._comparing is not None:
            self._comparing.cancel()
        self._adoption = None

    async def _comparison_over(self) -> None:
        comparing, self._comparing = self._comparing, None
        if comparing is None:
            return
        over: Deferred[None] = Deferred()
        comparing.addCallback(over.callback)  # type: ignore[unused-awaitable]
        try:
            await over.addTimeout(_LEFT_SECONDS, self._clock)
        except defer.TimeoutError:
            self._log.warn("A process that tells etcd's version can't be ended")

    def _clear(self) -> None:
        self._forget_adoption()
        clearing = Deferred.fromCoroutine(self._leave_nothing())
        clearing.addErrback(self._left).addCallback(self._cleared)  # type: ignore[unused-awaitable]

    async def _leave_nothing(self) -> None:
        await self._comparison_over()
        await self._follower.stop()
        await self._launcher.forget()

    def _left(self, failure: Failure) -> None:
        self._log.failure("Something of etcd is left", failure=failure)

    def _cleared(self, _: object) -> None:
        self._inputs.cleared()

    def _diagnose(self, ended: Exit) -> None:
        self._forget_adoption()
        # Bounded by not waiting longer: what reads the log goes on to its own end.
        read: Deferred[bool | None] = Deferred()
        reading = Deferred.fromCoroutine(self._read_on())
        reading.addErrback(self._could_not_read).addCallback(read.callback)  # type: ignore[unused-awaitable]
        read.addTimeout(_DIAGNOSIS_SECONDS, self._clock).addBoth(self._conclude, ended)  # type: ignore[unused-awaitable]

    async def _read_on(self) -> bool:
        """Read the log to its end; whether there was no room for more of it."""
        await self._follower.stop()
        directory = self._settings.data_dir
        return await self._run_in_pool(lambda: has_no_room(directory))

    def _could_not_read(self, failure: Failure) -> None:
        # Then the diagnosis makes do with what was read before.
        self._log.failure("etcd's log could not be read", failure=failure)

    def _conclude(self, no_room: bool | Failure | None, ended: Exit) -> None:
        files = [self._settings.client_tls, self._settings.peer_tls]
        paths = [path for each in files if each for path in (each.cert, each.key)]
        problem = diagnose(
            ended,
            tuple(self._lines),
            self._settings.data_dir,
            paths,
            no_room=no_room is True,
        )
        self._inputs.diagnosed(problem)


@define(eq=False)
class _Attempt:
    """Tells the machine how an attempt to have a process ended, in every case."""

    _inputs: Inputs
    _log: Logger
    succeeded: bool = False

    def spawned(self, child: Child) -> None:
        """It made one."""
        self.succeeded = True
        self._inputs.spawned(child, False, None)

    def adopted(self, adopted: Adopted) -> None:
        """It found one."""
        self.succeeded = True
        self._inputs.spawned(adopted.child, True, adopted.elsewhere)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: object, error: BaseException | None, trace: object
    ) -> bool:
        if self.succeeded:
            if isinstance(error, OSError):
                self._log.warn("etcd runs, and yet: {reason}", reason=str(error))
            return isinstance(error, OSError)
        if isinstance(error, LaunchFailed):
            self._inputs.refused(error.problem)
            return True
        if isinstance(error, OSError):
            self._inputs.refused(unforeseen(error))
            return True
        self._inputs.relinquish()
        return False
