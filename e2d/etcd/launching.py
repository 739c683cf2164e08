"""
From the decision to start etcd to a process, and back to one that runs already.

Note [On a full disk]: an etcd that has its data starts on a full disk, serves reads and
can be told to compact. So neither the record of the start nor the log may keep it from
that: it is found without its record too, see Note [Without a record] of
`e2d.etcd.launches`. A founding, whose data is to be written yet, is not begun there.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field, frozen

from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from e2d.etcd.binary import Binary, BinaryUnusable, EtcdBinary
from e2d.etcd.child import Child, OnExit, adopt, session_launcher, spawn
from e2d.etcd.command import EtcdSettings, arguments, environment
from e2d.etcd.launches import Launch, Orphan, elsewhere, find_orphan, outdated
from e2d.etcd.logfile import open_log
from e2d.etcd.preflight import data_in_use, obstacle
from e2d.etcd.processes import Processes
from e2d.etcd.records import Records
from e2d.etcd.versions import line_of, refusal
from e2d.files import RunInPool
from e2d.interfaces import DataDirectoryError, IDaemonReactor
from e2d.model import (
    ChildProblem,
    Elsewhere,
    EtcdStart,
    EtcdVersion,
    InitialState,
    ProblemKind,
)

__all__ = [
    "Adopted",
    "LaunchFailed",
    "Launcher",
    "Prepared",
    "log_path",
    "unforeseen",
]

_RECORD = "launch"

# So much likelier is e2d to be killed than etcd when memory runs out: of 1000.
_OOM_SPARE = 100

_KINDS = {
    errno.EACCES: ProblemKind.PERMISSION_DENIED,
    errno.EPERM: ProblemKind.PERMISSION_DENIED,
    errno.ENOSPC: ProblemKind.DISK_FULL,
    errno.EDQUOT: ProblemKind.DISK_FULL,
    errno.EIO: ProblemKind.DISK_FAILED,
    errno.EROFS: ProblemKind.DISK_FAILED,
}


def log_path(data_dir: str) -> str:
    """Where etcd's log is: ``<dataDir>/e2d/etcd.log``."""
    return os.path.join(data_dir, "e2d", "etcd.log")


class LaunchFailed(Exception):
    """Etcd was not started, or is not ours to adopt."""

    def __init__(self, problem: ChildProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _disk_problem(error: DataDirectoryError | OSError, what: str) -> ChildProblem:
    cause = error.__cause__ if isinstance(error, DataDirectoryError) else error
    number = cause.errno if isinstance(cause, OSError) else None
    return ChildProblem(
        kind=_KINDS.get(number or 0, ProblemKind.EXITED),
        message=f"{what}: {error}",
        remedy="etcd is not started before this is put right",
    )


def unforeseen(error: OSError) -> ChildProblem:
    """What the machine refused where it is not expected to, as one line."""
    return _disk_problem(error, "the machine refused what e2d needs")


@frozen(kw_only=True)
class Prepared:
    """
    All that an execution needs; on record already.

    :param output: a descriptor of the log, to be closed with `close`.
    """

    launch: Launch
    environment: Mapping[str, str]
    output: int

    def close(self) -> None:
        """Let go of the log. Once."""
        with contextlib.suppress(OSError):  # it is closed all the same
            os.close(self.output)


@frozen(kw_only=True)
class Adopted:
    """
    An etcd that was found running and is watched now.

    :param launch: what it was started with, None if that can't be told.
    :param elsewhere: than it would be started now.
    """

    child: Child
    launch: Launch | None
    elsewhere: Elsewhere | None


@define(eq=False)
class Launcher:
    """
    Makes the etcd process, or finds it.

    :param inherited: e2d's environment.
    :param make_id: 16 or more random hexadecimal digits, new each time.
    """

    _reactor: IDaemonReactor
    _records: Records
    _run_in_pool: RunInPool
    _processes: Processes
    _settings: EtcdSettings
    _inherited: Mapping[str, str]
    _make_id: Callable[[], str]
    _version: EtcdVersion | None = field(default=None, init=False)
    _launch_id: str | None = field(default=None, init=False)
    _unwritten: list[str] = field(factory=list, init=False)
    _recording: DeferredLock = field(factory=DeferredLock, init=False)
    _binary: EtcdBinary = field(init=False)
    _launcher: tuple[str, ...] = field(factory=session_launcher, init=False)
    _log: Logger = field(factory=Logger, init=False)

    def __attrs_post_init__(self) -> None:
        self._binary = EtcdBinary(self._reactor, self._settings.binary, self._inherited)

    def reconfigure(self, settings: EtcdSettings) -> None:
        """Start etcd with other settings from the next time on."""
        if settings.binary != self._settings.binary:
            self._binary = EtcdBinary(self._reactor, settings.binary, self._inherited)
        self._settings = settings

    @property
    def version(self) -> EtcdVersion | None:
        """The binary's version, None before it was asked."""
        return self._version

    @property
    def warnings(self) -> Sequence[str]:
        """What could not be written when etcd was started, a line each."""
        return tuple(self._unwritten)

    async def find_binary(self) -> Binary:
        """
        The binary, fit to run here.

        :raises LaunchFailed: it is missing, not etcd, or of a version refused.
        """
        try:
            binary = await self._binary.find()
        except BinaryUnusable as error:
            raise LaunchFailed(error.problem) from error
        self._version = binary.version
        refused = refusal(
            binary.version,
            cluster_size=self._settings.cluster_size,
            allowed=self._settings.options.allow_version,
        )
        if refused is not None:
            raise LaunchFailed(refused)
        return binary

    async def prepare(self, start: EtcdStart) -> Prepared:
        """
        Everything up to the execution. See Note [On a full disk].

        :raises LaunchFailed: and nothing is left behind.
        :raises OSError: likewise.
        """
        binary = await self.find_binary()
        settings = self._settings
        in_the_way = await self._run_in_pool(
            lambda: obstacle(settings.data_dir, settings.listens, self._processes)
        )
        if in_the_way is not None:
            raise LaunchFailed(in_the_way)
        launch = Launch(
            launch_id=self._make_id(),
            boot_id=self._processes.boot_id(),
            version=str(binary.version),
            command=(binary.path, *arguments(settings, start, binary.version)),
            start=start,
        )
        self._launch_id = launch.launch_id
        self._unwritten.clear()
        await self._record(launch)
        return Prepared(
            launch=launch,
            environment=environment(self._inherited, settings, launch.launch_id),
            output=await self._open_log(launch),
        )

    async def _record(self, launch: Launch) -> None:
        try:
            await self._write(launch)
        except (DataDirectoryError, OSError) as error:
            self._go_on(launch, error, "the start can't be recorded")

    async def _open_log(self, launch: Launch) -> int:
        path = log_path(self._settings.data_dir)
        try:
            return await self._run_in_pool(lambda: open_log(path))
        except OSError as error:
            self._go_on(launch, error, "etcd's log can't be opened")
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)

    def _go_on(
        self, launch: Launch, error: DataDirectoryError | OSError, what: str
    ) -> None:
        """Nothing but a founding fails for what can't be written down."""
        if launch.start.state is not InitialState.EXISTING:
            raise LaunchFailed(_disk_problem(error, what)) from error
        self._unwritten.append(f"{what}: {error}; etcd was started on its data")
        self._log.warn("{reason}", reason=self._unwritten[-1])

    async def _write(self, launch: Launch) -> None:
        # One after the other: a write that takes long must not undo a later one.
        await self._recording.acquire()
        try:
            if launch.launch_id == self._launch_id:
                await self._records.write(_RECORD, launch.to_record())
        finally:
            self._recording.release()

    def execute(self, prepared: Prepared, on_exit: OnExit) -> Child:
        """
        Start the process.

        :raises LaunchFailed: no process could be made.
        """
        command = (*self._launcher, *prepared.launch.command)
        try:
            child = spawn(
                self._reactor,
                self._processes,
                command,
                prepared.environment,
                prepared.output,
                on_exit,
            )
        except OSError as error:
            raise LaunchFailed(
                ChildProblem(
                    kind=ProblemKind.EXITED,
                    message=f"no process could be made: {error}",
                    remedy="raise the limits of processes and memory",
                )
            ) from error
        self._yield_to(child.pid)
        return child

    async def remember(self, prepared: Prepared, child: Child) -> None:
        """Write down which process it became; without it, it is found by its id."""
        start_time = self._processes.start_time(child.pid)
        try:
            await self._write(prepared.launch.spawned(child.pid, start_time))
        except (DataDirectoryError, OSError) as error:
            self._log.warn(
                "etcd's pid could not be written down: {reason}", reason=str(error)
            )

    async def forget(self) -> None:
        """
        The etcd that was started or adopted here has ended: there is nothing to adopt.

        A record of another start stays: what it led to may run.
        """
        await self._recording.acquire()
        try:
            launch = await self._recorded()
            if launch is not None and launch.launch_id == self._launch_id:
                await self._records.remove(_RECORD)
        except (DataDirectoryError, OSError) as error:
            self._log.warn(
                "The record of etcd's start could not be removed: {reason}",
                reason=str(error),
            )
        finally:
            self._launch_id = None
            self._unwritten.clear()
            self._recording.release()

    async def adopt(self, on_exit: OnExit) -> Adopted | None:
        """
        The etcd that an earlier e2d left running on our data, watched from now on.

        :raises LaunchFailed: someone uses the data who can't be ours.
        :raises OSError: the processes can't be looked at.
        """
        launch = await self._recorded()
        data_dir = self._settings.data_dir
        found = await self._run_in_pool(
            lambda: find_orphan(launch, data_dir, self._processes)
        )
        if found is None:
            return None
        if not isinstance(found, Orphan):
            raise LaunchFailed(data_in_use(data_dir, found))
        child = adopt(
            self._reactor, self._processes, found.pid, found.start_time, on_exit
        )
        if child is None:
            return None
        self._launch_id = found.launch_id
        self._yield_to(None)
        launch = found.launch
        moved = None if launch is None else elsewhere(launch, self._settings)
        return Adopted(child=child, launch=launch, elsewhere=moved)

    async def _recorded(self) -> Launch | None:
        try:
            record = await self._records.read(_RECORD)
        except (DataDirectoryError, OSError) as error:
            # Whoever runs on our data is found without it, too.
            self._log.warn("{reason}", reason=str(error))
            return None
        return None if record is None else Launch.from_record(record)

    async def compare(self, launch: Launch | None) -> str | None:
        """
        How an etcd that was found running differs from one that would be started now.

        It asks the binary for its version, which may take a while. May be cancelled.

        :return: a line for the operator, None if it runs as configured.
        """
        try:
            binary = await self._binary.find()
        except BinaryUnusable as error:
            return f"etcd runs, but could not be started again: {error}"
        self._version = binary.version
        if line_of(binary.version) is None:
            return f"etcd runs, but could not be started again: {binary.version}"
        if launch is None:
            return (
                "etcd runs, with what settings can't be told: e2d restart applies ours"
            )
        return outdated(launch, self._settings, binary.path, binary.version)

    def _yield_to(self, pid: int | None) -> None:
        try:
            self._processes.yield_to(pid, _OOM_SPARE)
        except (OSError, ValueError) as error:
            self._log.debug(
                "The order in which memory is taken back stays as it is: {reason}",
                reason=str(error),
            )
