"""From the decision to start etcd to a process, and back to one that runs already."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping

from attrs import define, field, frozen

from twisted.logger import Logger

from e2d.etcd.binary import Binary, BinaryUnusable, EtcdBinary
from e2d.etcd.child import Child, OnExit, adopt, session_launcher, spawn
from e2d.etcd.command import EtcdSettings, arguments, environment
from e2d.etcd.launches import Launch, Orphan, find_orphan, outdated
from e2d.etcd.logfile import open_log
from e2d.etcd.preflight import data_in_use, obstacle
from e2d.etcd.processes import Processes
from e2d.etcd.records import Records, RunInPool
from e2d.etcd.versions import line_of, refusal
from e2d.interfaces import DataDirectoryError, IDaemonReactor
from e2d.model import ChildProblem, EtcdStart, EtcdVersion, ProblemKind

__all__ = ["Adopted", "LaunchFailed", "Launcher", "Prepared", "log_path"]

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
        os.close(self.output)


@frozen(kw_only=True)
class Adopted:
    """
    An etcd that was found running and is watched now.

    :param warning: a line for the operator, if it does not run as configured.
    """

    child: Child
    warning: str | None


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
        Everything up to the execution.

        :raises LaunchFailed: and nothing is left behind.
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
        try:
            await self._records.write(_RECORD, launch.to_record())
            path = log_path(settings.data_dir)
            output = await self._run_in_pool(lambda: open_log(path))
        except (DataDirectoryError, OSError) as error:
            raise LaunchFailed(
                _disk_problem(error, "the start can't be recorded")
            ) from error
        return Prepared(
            launch=launch,
            environment=environment(self._inherited, settings, launch.launch_id),
            output=output,
        )

    def execute(self, prepared: Prepared, on_exit: OnExit) -> Child:
        """
        Start the process.

        :raises LaunchFailed: no process could be made.
        """
        command = (*self._launcher, *prepared.launch.command)
        try:
            child = spawn(
                self._reactor, command, prepared.environment, prepared.output, on_exit
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
        record = prepared.launch.spawned(child.pid, start_time).to_record()
        try:
            await self._records.write(_RECORD, record)
        except DataDirectoryError as error:
            self._log.warn(
                "etcd's pid could not be written down: {reason}", reason=str(error)
            )

    async def forget(self) -> None:
        """Etcd was stopped: there is nothing to adopt."""
        try:
            await self._records.remove(_RECORD)
        except DataDirectoryError as error:
            self._log.warn(
                "The record of etcd's start could not be removed: {reason}",
                reason=str(error),
            )

    async def adopt(self, on_exit: OnExit) -> Adopted | None:
        """
        The etcd that an earlier e2d left running on our data, watched from now on.

        :raises LaunchFailed: someone uses the data who can't be ours.
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
        assert launch is not None
        warning = await self._outdated(launch)
        child = adopt(
            self._reactor, self._processes, found.pid, found.start_time, on_exit
        )
        if child is None:
            return None
        self._yield_to(None)
        return Adopted(child=child, warning=warning)

    async def _recorded(self) -> Launch | None:
        try:
            record = await self._records.read(_RECORD)
        except DataDirectoryError as error:
            # Whoever runs on our data is then found by its lock, and not ours.
            self._log.warn("{reason}", reason=str(error))
            return None
        return None if record is None else Launch.from_record(record)

    async def _outdated(self, launch: Launch) -> str | None:
        try:
            binary = await self._binary.find()
        except BinaryUnusable as error:
            return f"etcd runs, but could not be started again: {error}"
        self._version = binary.version
        if line_of(binary.version) is None:
            return f"etcd runs, but could not be started again: {binary.version}"
        return outdated(launch, self._settings, binary.path, binary.version)

    def _yield_to(self, pid: int | None) -> None:
        try:
            self._processes.yield_to(pid, _OOM_SPARE)
        except (OSError, ValueError) as error:
            self._log.debug(
                "The order in which memory is taken back stays as it is: {reason}",
                reason=str(error),
            )
