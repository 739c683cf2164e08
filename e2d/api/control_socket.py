"""
The control socket in the file system: made, looked after and removed, but only ours.

Its directory may be hidden or changed while the daemon runs: a volume is mounted over
it, a cleaner of ``/tmp`` takes it. And at its path there may be a socket of another
daemon, which must stay.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress

from attrs import define, field

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import ServerFactory
from twisted.internet.tcp import Port as StreamPort
from twisted.internet.unix import Port
from twisted.python.failure import Failure

from e2d.api.places import SocketPlace
from e2d.api.ports import CannotListen, why
from e2d.interfaces import IDaemonReactor

__all__ = [
    "ControlSocket",
    "SocketRefused",
    "check_owner",
    "clear_path",
    "make_directory",
]

BACKLOG = 50
"""Connections that wait to be accepted."""


class SocketRefused(Exception):
    """
    The control socket cannot be where it is to be.

    :param message: one line with the path and what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SocketPort(Port):
    """
    A UNIX port, mode 0600, that knows whether its path still leads to it.

    :param path: where it listens.
    """

    def __init__(
        self, path: str, factory: ServerFactory, reactor: IDaemonReactor
    ) -> None:
        super().__init__(
            os.fsencode(path), factory, backlog=BACKLOG, mode=0o600, reactor=reactor
        )
        self._path = path
        self._bound: tuple[int, int] | None = None

    @property
    def intact(self) -> bool:
        """Whether whoever connects to the path connects to this port."""
        # While it is bound the kernel gives its inode's number to nothing else.
        return self._bound is not None and _identity(self._path) == self._bound

    def startListening(self) -> None:
        """Remember what was made."""
        super().startListening()
        self._bound = _identity(self._path)

    def connectionLost(self, reason: Failure) -> None:
        """Remove the socket, if it is this one that lies at the path."""
        if self.intact:
            with suppress(OSError):
                os.unlink(self._path)
        # Past Twisted's UNIX port: it would unlink whatever is there, or fail and leave
        # the port open if nothing is.
        StreamPort.connectionLost(self, reason)


@define(eq=False)
class ControlSocket:
    """
    Listens at a place, as often as it is needed.

    :param factory: serves who connects.
    """

    _reactor: IDaemonReactor
    _place: SocketPlace
    _factory: ServerFactory
    _was_open: bool = field(default=False, init=False)

    def listen(self) -> IListeningPort:
        """
        Open it.

        :raises CannotListen: it cannot be had now.
        """
        place = self._place
        # Between bind and chmod nobody else may connect. Not 0177: another thread may
        # make a directory meanwhile.
        before = os.umask(0o077)
        try:
            # What is mounted over the data directory meanwhile is not written to
            # uncalled for: it may be an empty mount point.
            if place.shared or not self._was_open:
                make_directory(place, os.geteuid())
            clear_path(place.path)
            port = SocketPort(place.path, self._factory, self._reactor)
            port.startListening()
        except SocketRefused as error:
            raise CannotListen(error.message) from error
        except CannotListenError as error:
            raise CannotListen(
                f"control socket {place.path}: {why(error)}; set api.socket to a path"
                " that can be written to"
            ) from error
        finally:
            os.umask(before)
        self._was_open = True
        return port

    def is_lost(self, port: IListeningPort) -> bool:
        """
        Whether nobody can connect to a port any more.

        :param port: that `listen` returned.
        """
        assert isinstance(port, SocketPort)
        return not port.intact


def make_directory(place: SocketPlace, uid: int) -> None:
    """
    Make the directory where it is ours to make.

    :param uid: ours.
    :raises SocketRefused: something else is in the way.
    """
    if place.own_directory is None:
        return
    try:
        os.makedirs(place.own_directory, mode=0o700, exist_ok=True)
        if place.shared:
            check_owner(place.own_directory, uid)
    except OSError as error:
        raise _refused(place.path, error) from error


def check_owner(directory: str, uid: int) -> None:
    """
    In a directory that all can write to, only trust what is ours and ours alone.

    :raises SocketRefused: it is somebody else's, or others can write to it.
    """
    found = os.lstat(directory)
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == uid
    if not ours or stat.S_IMODE(found.st_mode) & 0o077:
        raise SocketRefused(
            f"{directory} is not a private directory of uid {uid}: remove it, or set"
            " api.socket"
        )


def clear_path(path: str) -> None:
    """
    Remove a socket that was left behind: nobody listens at it.

    :raises SocketRefused: somebody does, or it is no socket; both stay.
    """
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise SocketRefused(
                f"control socket {path}: there is a file that is no socket; remove it,"
                " or set api.socket"
            )
        if _somebody_listens(path):
            raise SocketRefused(
                f"control socket {path}: another process answers there, perhaps another"
                " e2d; end it, or set api.socket to another path"
            )
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refused(path, error) from error


def _somebody_listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # A full backlog is an answer too: not waited for.
        probe.setblocking(False)
        result = probe.connect_ex(path)
    # What is not known for sure stays: it may be another user's.
    return result not in {errno.ECONNREFUSED, errno.ENOENT}


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _refused(path: str, error: OSError) -> SocketRefused:
    return SocketRefused(
        f"control socket {path}: {(error.strerror or str(error)).lower()}; set"
        " api.socket to a path that can be written to"
    )
