"""The etcd binary: where it is and which version, asked of itself before any start."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping

from attrs import define, field, frozen

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from e2d.etcd.command import inherited_environment
from e2d.etcd.versions import NotEtcd, parse_version
from e2d.interfaces import IDaemonReactor
from e2d.model import ChildProblem, EtcdVersion, ProblemKind

__all__ = ["Binary", "BinaryUnusable", "EtcdBinary"]

_TIMEOUT_SECONDS = 10.0
_OUTPUT_LIMIT_BYTES = 64 * 1024


class BinaryUnusable(Exception):
    """There is no etcd that could be run."""

    def __init__(self, problem: ChildProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@frozen(kw_only=True)
class Binary:
    """
    An etcd that can be run.

    :param path: absolute.
    """

    path: str
    version: EtcdVersion


@define(eq=False)
class _Output(ProcessProtocol):
    """Collects what a short-lived process prints, up to a limit."""

    ended: Deferred[bytes] = field(factory=Deferred)
    _received: bytearray = field(factory=bytearray)

    def outReceived(self, data: bytes) -> None:
        """Keep it, unless it is more than any etcd says."""
        if len(self._received) < _OUTPUT_LIMIT_BYTES:
            self._received += data
        else:
            self.kill()

    def kill(self) -> None:
        """Do not wait for it."""
        with contextlib.suppress(ProcessExitedAlready, OSError):
            assert self.transport is not None
            self.transport.signalProcess("KILL")
        # Whom it started may go on talking: no longer to us.
        if self.transport is not None:
            self.transport.loseConnection()

    def processEnded(self, reason: Failure) -> None:  # noqa: ARG002 - Twisted's
        """That was all."""
        self.ended.callback(bytes(self._received))


@define(eq=False)
class EtcdBinary:
    """
    Finds the binary and asks its version, again only when the file is another one.

    :param name: a path, or a name to be found on PATH.
    :param environment: e2d's own; PATH is looked up here.
    """

    _reactor: IDaemonReactor
    _name: str
    _environment: Mapping[str, str]
    _known: tuple[tuple[int, ...], Binary] | None = field(default=None, init=False)

    async def find(self) -> Binary:
        """
        The binary as it is now. May be cancelled, and then leaves no process.

        :raises BinaryUnusable: it is missing, may not be executed, or is not etcd.
        """
        path = shutil.which(self._name, path=self._environment.get("PATH", os.defpath))
        if path is None:
            raise BinaryUnusable(self._missing())
        path = os.path.abspath(path)
        try:
            status = os.stat(path)
        except OSError as error:  # removed or replaced since
            raise BinaryUnusable(self._unusable(path, str(error))) from error
        identity = (
            status.st_dev,
            status.st_ino,
            status.st_mtime_ns,
            status.st_size,
        )
        if self._known is not None:
            seen, binary = self._known
            if seen == identity and binary.path == path:
                return binary
        binary = Binary(path=path, version=await self._ask(path))
        self._known = (identity, binary)
        return binary

    async def _ask(self, path: str) -> EtcdVersion:
        protocol = _Output()
        environment = inherited_environment(self._environment)
        timer: IDelayedCall | None = None
        try:
            self._reactor.spawnProcess(
                protocol,
                path,
                [path, "--version"],
                env=environment,
                childFDs={0: "w", 1: "r", 2: "r"},
            )
            timer = self._reactor.callLater(_TIMEOUT_SECONDS, protocol.kill)
            output = await protocol.ended
        except OSError as error:
            raise BinaryUnusable(self._unusable(path, str(error))) from error
        except CancelledError:
            protocol.ended = Deferred()
            protocol.kill()
            await protocol.ended
            raise
        finally:
            if timer is not None and timer.active():
                timer.cancel()
        try:
            return parse_version(output)
        except NotEtcd as error:
            reason = f"'{path} --version' does not say which etcd it is"
            raise BinaryUnusable(self._unusable(path, reason)) from error

    def _missing(self) -> ChildProblem:
        if os.path.sep in self._name and os.path.exists(self._name):
            return self._unusable(self._name, "it is not an executable file")
        return ChildProblem(
            kind=ProblemKind.BINARY_MISSING,
            message=f"there is no etcd: `{self._name}` is not on PATH"
            if os.path.sep not in self._name
            else f"there is no etcd: {self._name} does not exist",
            remedy="install etcd (Debian: apt install etcd-server), or set etcd.binary",
        )

    def _unusable(self, path: str, reason: str) -> ChildProblem:
        return ChildProblem(
            kind=ProblemKind.BINARY_MISSING,
            message=f"{path} can't be run as etcd: {reason}",
            remedy="install etcd for this machine, or correct etcd.binary",
        )
