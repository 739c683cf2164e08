"""Tests of `e2d.api.control_socket`: on a file system, without connections."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import ServerFactory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from e2d.api.control_socket import (
    ControlSocket,
    SocketRefused,
    check_owner,
    clear_path,
    make_directory,
)
from e2d.api.places import SocketPlace
from e2d.api.ports import CannotListen


class SocketTestCase(SynchronousTestCase):
    """With a place for a socket in a directory that is still missing."""

    def setUp(self) -> None:
        """Given the place."""
        # Trial's own directory is too deep for a socket's path.
        self.above = Path(tempfile.mkdtemp(prefix="e2d-"))
        self.addCleanup(shutil.rmtree, self.above)
        self.directory = self.above / "e2d"
        self.hidden = self.above / "hidden"
        self.path = self.directory / "e2d.sock"
        self.place = SocketPlace(path=str(self.path), own_directory=str(self.directory))
        self.reactor = MemoryReactorClock()

    def make(self, place: SocketPlace) -> ControlSocket:
        """Another daemon's, or this one's."""
        return ControlSocket(self.reactor, place, ServerFactory())

    def close(self, port: IListeningPort) -> None:
        """Stop listening."""
        closed = port.stopListening()
        self.reactor.advance(0)
        assert closed is not None
        self.successResultOf(closed)

    def open(self, control_socket: ControlSocket) -> IListeningPort:
        """Listen."""
        port = control_socket.listen()
        self.addCleanup(self._close_open, port)
        return port

    def _close_open(self, port: IListeningPort) -> None:
        if getattr(port, "connected", False):
            self.close(port)

    def assert_answers(self) -> None:
        """Somebody listens at the path."""
        with socket.socket(socket.AF_UNIX) as client:
            self.assertEqual(client.connect_ex(str(self.path)), 0)


class ControlSocketTests(SocketTestCase):
    """`ControlSocket`."""

    def setUp(self) -> None:
        """Given a socket that is listened on."""
        super().setUp()
        self.control_socket = self.make(self.place)
        self.port = self.open(self.control_socket)

    def test_intact(self) -> None:
        """A socket that nobody touched is not lost."""
        self.assertFalse(self.control_socket.is_lost(self.port))

    def test_hidden(self) -> None:
        """One whose directory is another now is lost, and found when it is back."""
        self.directory.rename(self.hidden)
        self.assertTrue(self.control_socket.is_lost(self.port))
        self.directory.mkdir()
        self.assertTrue(self.control_socket.is_lost(self.port))
        self.directory.rmdir()
        self.hidden.rename(self.directory)
        self.assertFalse(self.control_socket.is_lost(self.port))

    def test_closed(self) -> None:
        """The socket goes with its port."""
        self.close(self.port)
        self.assertFalse(self.path.exists())

    def test_closed_while_hidden(self) -> None:
        """A port whose socket is gone closes all the same."""
        self.path.unlink()
        self.close(self.port)
        self.assertFalse(self.port.connected)  # type: ignore[attr-defined]

    def test_listens_again(self) -> None:
        """What is opened in the directory's place outlives the end of the old one."""
        self.directory.rename(self.hidden)
        self.directory.mkdir()
        self.open(self.control_socket)
        self.close(self.port)
        self.assert_answers()

    def test_left_behind(self) -> None:
        """When the old directory comes back its dead socket makes room."""
        self.directory.rename(self.hidden)
        self.directory.mkdir()
        second = self.open(self.control_socket)
        self.close(self.port)
        self.directory.rename(self.above / "unmounted")
        self.hidden.rename(self.directory)
        self.assertTrue(self.control_socket.is_lost(second))
        self.open(self.control_socket)
        self.assert_answers()

    def test_empty_mount_point(self) -> None:
        """Nothing is made in what is mounted over the data directory."""
        self.directory.rename(self.hidden)
        error = self.assertRaises(CannotListen, self.control_socket.listen)
        self.assertIn(f"{self.path}: no such file or directory;", error.message)
        self.assertFalse(self.directory.exists())

    def test_another_daemon(self) -> None:
        """A socket at which another daemon answers is left to it."""
        other = self.make(self.place)
        error = self.assertRaises(CannotListen, other.listen)
        self.assertIn(f"{self.path}: another process answers there", error.message)
        self.assertFalse(self.control_socket.is_lost(self.port))

    def test_another_daemon_after_all(self) -> None:
        """A socket that replaced ours does not go when ours is closed."""
        self.path.unlink()
        self.open(self.make(self.place))
        self.close(self.port)
        self.assert_answers()

    def test_shared_directory_removed(self) -> None:
        """A private directory below /tmp that was cleaned away is made again."""
        self.close(self.port)
        place = SocketPlace(
            path=str(self.path), own_directory=str(self.directory), shared=True
        )
        self.directory.chmod(0o700)
        control_socket = self.make(place)
        self.open(control_socket)
        self.directory.rename(self.hidden)
        self.open(control_socket)
        self.assert_answers()

    def test_shared_directory_replaced(self) -> None:
        """If somebody else made one meanwhile it is not trusted."""
        self.close(self.port)
        place = SocketPlace(
            path=str(self.path), own_directory=str(self.directory), shared=True
        )
        self.directory.chmod(0o777)
        error = self.assertRaises(CannotListen, self.make(place).listen)
        self.assertIn("is not a private directory", error.message)


class PrepareTests(SocketTestCase):
    """`make_directory`, `check_owner` and `clear_path`."""

    def test_makes_directory(self) -> None:
        """The directory is made, for the owner alone."""
        make_directory(self.place, os.geteuid())
        self.assertEqual(self.directory.stat().st_mode & 0o777, 0o700)

    def test_open_directory(self) -> None:
        """A directory below /tmp that others can write to is not trusted."""
        self.directory.mkdir()
        self.directory.chmod(0o777)
        error = self.assertRaises(
            SocketRefused, check_owner, str(self.directory), os.geteuid()
        )
        self.assertIn("is not a private directory of uid", error.message)

    def test_foreign_directory(self) -> None:
        """Neither is one that somebody else made."""
        self.directory.mkdir(mode=0o700)
        self.assertRaises(
            SocketRefused, check_owner, str(self.directory), os.geteuid() + 1
        )

    def test_nothing_there(self) -> None:
        """Where nothing is, nothing is in the way."""
        clear_path(str(self.path))
        self.assertFalse(self.path.exists())

    def test_no_socket(self) -> None:
        """A file of another kind is not deleted."""
        self.directory.mkdir(mode=0o700)
        self.path.write_text("mine")
        self.assertRaises(SocketRefused, clear_path, str(self.path))
        self.assertEqual(self.path.read_text(), "mine")

    def test_stale(self) -> None:
        """A socket that a killed daemon left behind is removed."""
        self.directory.mkdir(mode=0o700)
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(str(self.path))
        clear_path(str(self.path))
        self.assertFalse(self.path.exists())
