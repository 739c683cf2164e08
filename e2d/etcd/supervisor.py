"""
The one etcd of this node, behind `IEtcdServer`.

A thin face: `e2d.etcd.lifecycle` knows the states, `e2d.etcd.launching` makes and finds
the process, `e2d.etcd.health` asks it how it is. It never decides to start etcd again:
it says when that would be worth trying.
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
from e2d.etcd.health import HealthWatch, Probe
from e2d.etcd.launching import Launcher, LaunchFailed, Prepared, log_path
from e2d.etcd.lifecycle import Core, Inputs, Patience, build_lifecycle
from e2d.etcd.logfile import LogFile, LogFollower
from e2d.etcd.logs import LogLine
from e2d.etcd.processes import Processes
from e2d.etcd.records import Records, RunInPool
from e2d.etcd.versions import version_warnings
from e2d.interfaces import IDaemonReactor, IEtcdServer
from e2d.model import Absent, ChildFailed, ChildState, EtcdStart, MemberID
from e2d.services import Backoff

__all__ = ["EtcdSupervisor", "Patience"]

_LINES_KEPT = 200
_DIAGNOSIS_SECONDS = 2.0


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
        self._adoption: str | None = None
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
            expected_member=expected_member,
            log=self._log,
        )
        self._inputs = build_lifecycle(self._core)

    def state(self) -> ChildState:
        """What is now."""
        return self._core.visible

    def version(self) -> str | None:
        """The binary's version, None before it was asked."""
        version = self._launcher.version
        return None if version is None else str(version)

    def warnings(self) -> Sequence[str]:
        """What an operator should know, a line each."""
        version = self._launcher.version
        return (
            *settings_warnings(self._settings),
            *(() if version is None else version_warnings(version)),
            *(() if self._adoption is None else (self._adoption,)),
            *(() if self._core.stuck is None else (self._core.stuck,)),
        )

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
        assert isinstance(self._core.visible, Absent | ChildFailed)
        self._inputs.begin()
        async with _Attempt(self._inputs) as attempt:
            adopted = await self._launcher.adopt(self._inputs.exited)
            if adopted is None:
                return False
            if self._core.withdrawn:
                adopted.child.abandon()
                return False
            self._adoption = adopted.warning
            pid = adopted.child.pid
            attempt.spawned(adopted.child, adopted=True)
            self._log.info("Adopted the etcd that runs already (pid {pid})", pid=pid)
            await self._follower.start(f"/proc/{pid}/fd/2")
        return attempt.succeeded

    async def start(self, start: EtcdStart) -> None:
        """Execute etcd."""
        assert isinstance(self._core.visible, Absent | ChildFailed)
        self._inputs.begin()
        async with _Attempt(self._inputs) as attempt:
            prepared = await self._launcher.prepare(start)
            child = await self._execute(prepared, attempt)
            if child is not None:
                await self._launcher.remember(prepared, child)

    async def _execute(self, prepared: Prepared, attempt: _Attempt) -> Child | None:
        try:
            self._lines.clear()
            await self._follower.start()
            if self._core.withdrawn:
                return None
            child = self._launcher.execute(prepared, self._inputs.exited)
            self._adoption = None
            attempt.spawned(child, adopted=False)
            return child
        finally:
            prepared.close()
            if not attempt.succeeded:
                await self._follower.stop()

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL after a bound; returns when the process is gone."""
        gone: Deferred[None] = Deferred()
        self._core.waiting.append(gone)
        self._inputs.terminate()
        await gone
        await self._follower.stop()
        await self._launcher.forget()

    def _diagnose(self, ended: Exit) -> None:
        reading = Deferred.fromCoroutine(self._follower.stop())
        bounded = reading.addTimeout(_DIAGNOSIS_SECONDS, self._clock)
        bounded.addErrback(self._could_not_read).addCallback(self._conclude, ended)  # type: ignore[unused-awaitable]

    def _could_not_read(self, failure: Failure) -> None:
        # Then the diagnosis makes do with what was read before.
        if not failure.check(defer.TimeoutError, CancelledError):
            self._log.failure("etcd's log could not be read", failure=failure)

    def _conclude(self, _: object, ended: Exit) -> None:
        files = [self._settings.client_tls, self._settings.peer_tls]
        paths = [path for each in files if each for path in (each.cert, each.key)]
        self._inputs.diagnosed(diagnose(ended, tuple(self._lines), paths))


@define(eq=False)
class _Attempt:
    """Tells the machine how an attempt to have a process ended, in every case."""

    _inputs: Inputs
    succeeded: bool = False

    def spawned(self, child: Child, *, adopted: bool) -> None:
        """It has one."""
        self.succeeded = True
        self._inputs.spawned(child, adopted)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: object, error: BaseException | None, trace: object
    ) -> bool:
        if self.succeeded:
            return False
        if isinstance(error, LaunchFailed):
            self._inputs.refused(error.problem)
            return True
        self._inputs.relinquish()
        return False
