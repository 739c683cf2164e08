"""Tests of `e2d.api.service` and `e2d.api.resources`."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogPublisher, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from e2d.api.channel import ApiSite
from e2d.api.exposure import exposure
from e2d.api.places import SocketPlace
from e2d.api.reads import Reads
from e2d.api.resources import Root, read_pages
from e2d.api.service import ApiService, ApiSettings, act_pages
from e2d.interfaces import DataDirectoryError, IDaemonControl, IDaemonView
from e2d.model import Address
from e2d.testing.daemon import FakeDaemon
from tests.api.exchange import Connection, Response, SlowDaemon, ask

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class FakeDaemonTests(SynchronousTestCase):
    """`FakeDaemon` is what it stands for."""

    def test_interfaces(self) -> None:
        """It can be read and told."""
        self.assertTrue(verifyObject(IDaemonView, FakeDaemon()))
        self.assertTrue(verifyObject(IDaemonControl, FakeDaemon()))


class ActTests(SynchronousTestCase):
    """What the control socket does."""

    def setUp(self) -> None:
        """Given the control socket's site."""
        self.daemon = FakeDaemon()
        reads = read_pages(Reads(self.daemon).by_path())
        acts = act_pages(self.daemon, lambda: NOW)
        self.site = ApiSite(Root({**reads, **acts}), Clock())

    def post(self, path: str, body: bytes = b"") -> Response:
        """POST."""
        return ask(self.site, "POST", path, body)

    def test_pause(self) -> None:
        """A pause is told to the daemon and its end to the one who asked."""
        response = self.post("/pause", b'{"seconds": 60, "reason": "new disk"}')
        self.assertEqual(response.code, 200)
        self.assertEqual(
            response.document,
            {
                "pause": {
                    "until": "2026-01-02T03:05:05Z",
                    "by": "uid 1000",
                    "reason": "new disk",
                }
            },
        )
        self.assertEqual(self.daemon.told, [("pause", "uid 1000")])

    def test_bad_pause(self) -> None:
        """A request that makes no sense changes nothing."""
        response = self.post("/pause", b"{")
        self.assertEqual(response.code, 400)
        self.assertEqual(response.document, {"error": "the body must be JSON in UTF-8"})
        self.assertEqual(self.daemon.told, [])

    def test_resume(self) -> None:
        """A pause ends when told to, and the answer says which one it was."""
        self.post("/pause", b'{"seconds": 60, "reason": "new disk"}')
        self.assertEqual(
            self.post("/resume").document,
            {
                "pause": None,
                "ended": {
                    "until": "2026-01-02T03:05:05Z",
                    "by": "uid 1000",
                    "reason": "new disk",
                },
            },
        )
        self.assertIsNone(self.daemon.current.pause)

    def test_resume_without_a_pause(self) -> None:
        """Where there was none, the answer does not say that one was ended."""
        self.assertEqual(self.post("/resume").document, {"pause": None, "ended": None})

    def test_restart(self) -> None:
        """A restart is done on behalf of the user whom the kernel names."""
        self.assertEqual(self.post("/restart", b"{}").document, {"stopped": True})
        self.assertEqual(self.daemon.told, [("restart", "uid 1000")])

    def test_restart_with_unknown_key(self) -> None:
        """A wish that is not understood is not ignored."""
        self.assertEqual(self.post("/restart", b'{"rolling": true}').code, 400)
        self.assertEqual(self.daemon.told, [])

    def test_get_does_not_act(self) -> None:
        """Reading an address that acts does nothing."""
        response = ask(self.site, "GET", "/restart")
        self.assertEqual((response.code, response.headers["allow"]), (405, "post"))
        self.assertEqual(self.daemon.told, [])

    def test_reads_too(self) -> None:
        """The socket also answers what HTTP does."""
        self.assertEqual(ask(self.site, "GET", "/status").code, 200)

    def test_disk_says_no(self) -> None:
        """A pause that could not be kept is an error with the reason."""
        self.daemon.refusal = DataDirectoryError("/var/lib/e2d/e2d: disk full")
        response = self.post("/pause")
        self.assertEqual(response.code, 500)
        self.assertEqual(response.document, {"error": "/var/lib/e2d/e2d: disk full"})

    def test_defect(self) -> None:
        """A defect is logged and answered, and the details stay in the log."""
        self.daemon.refusal = AssertionError("secret")  # type: ignore[assignment]
        response = self.post("/pause")
        self.assertEqual(response.code, 500)
        self.assertNotIn(b"secret", response.body)
        self.assertEqual(len(self.flushLoggedErrors(AssertionError)), 1)

    def test_logged(self) -> None:
        """The log says who asked for what."""
        events: list[Any] = []
        publisher: LogPublisher = globalLogPublisher
        publisher.addObserver(events.append)
        self.addCleanup(publisher.removeObserver, events.append)
        self.post("/restart")
        fields = [
            (event["by"], event["pid"], event["command"])
            for event in events
            if "command" in event
        ]
        self.assertEqual(fields, [("uid 1000", 77, "restart etcd")])

    def test_gone(self) -> None:
        """What was asked for is done to its end, whether or not anybody waits."""
        stopped: Deferred[None] = Deferred()
        daemon = SlowDaemon(stopped)
        pages = act_pages(daemon, lambda: NOW)
        connection = Connection(ApiSite(Root(pages), Clock())).open()
        head = b"POST /restart HTTP/1.1\r\nHost: e2d\r\nContent-Length: 0\r\n\r\n"
        self.assertEqual(connection.send(head), b"")
        connection.close()
        stopped.callback(None)
        self.assertEqual(daemon.told, [("restart", "uid 1000")])
        self.assertEqual(connection.transport.value(), b"")

    def test_large_body(self) -> None:
        """A body beyond 64 KiB is refused before it is whole, and not acted upon."""
        connection = Connection(self.site).open()
        head = b"POST /pause HTTP/1.1\r\nHost: e2d\r\nContent-Length: 70000\r\n\r\n"
        answer = connection.send(head + b" " * 65537)
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)
        self.assertTrue(connection.transport.half_closed)
        self.assertEqual(connection.send(b" " * 4463), b"")
        self.assertEqual(connection.send(b"GET /status HTTP/1.1\r\n\r\n"), b"")
        self.assertEqual(self.daemon.told, [])

    def test_large_chunks(self) -> None:
        """A body without a length is bounded as well."""
        connection = Connection(self.site).open()
        head = (
            b"POST /pause HTTP/1.1\r\nHost: e2d\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
        answer = connection.send(head + chunk * 3 + b"0\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)
        self.assertEqual(self.daemon.told, [])


class FakePort:
    """A port that is open until it is closed."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.closed = False

    def stopListening(self) -> None:
        """Close."""
        self.closed = True


class ListeningReactor(MemoryReactorClock):
    """A reactor whose TCP ports may be taken; its UNIX ports are there, unread."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[FakePort] = []
        self.umask: int | None = None
        self.tcp_error: OSError | None = None

    def listenTCP(self, port: int, *_a: object, **_k: object) -> FakePort:
        """Open, or not."""
        if self.tcp_error is not None:
            raise CannotListenError("127.0.0.1", port, self.tcp_error)
        self.opened.append(FakePort("127.0.0.1"))
        return self.opened[-1]

    def addReader(self, reader: IReadDescriptor) -> None:
        """Called when a UNIX port was made: under which umask?"""
        self.umask = os.umask(0)
        os.umask(self.umask)
        super().addReader(reader)

    def open_at(self) -> list[str]:
        """Where TCP listens, in the order of opening."""
        return [port.host for port in self.opened if not port.closed]


class ApiServiceTests(SynchronousTestCase):
    """`ApiService`."""

    def setUp(self) -> None:
        """Given a service that was not started."""
        self.reactor = ListeningReactor()
        daemon = FakeDaemon()
        # Trial's own directory is too deep for a socket's path.
        above = Path(tempfile.mkdtemp(prefix="e2d-"))
        self.addCleanup(shutil.rmtree, above)
        self.directory = above / "e2d"
        self.place = SocketPlace(
            path=str(self.directory / "e2d.sock"), own_directory=str(self.directory)
        )
        self.service = ApiService(
            self.reactor,
            daemon,
            daemon,
            lambda: NOW,
            ApiSettings(address=Address("127.0.0.1", 25000), socket=self.place),
        )

        self.addCleanup(self.stop)

    def stop(self) -> None:
        """To the end."""
        if self.service.running:
            stopped = self.service.stopService()
            self.reactor.advance(0)
            self.successResultOf(stopped)

    def assert_socket(self, *, there: bool) -> None:
        """Whether somebody listens at the socket's path."""
        with socket.socket(socket.AF_UNIX) as client:
            self.assertEqual(client.connect_ex(self.place.path) == 0, there)

    def test_start_and_stop(self) -> None:
        """Both are open from start to stop, and nothing is left then."""
        self.service.startService()
        self.assertEqual(self.reactor.open_at(), ["127.0.0.1"])
        self.assert_socket(there=True)
        self.stop()
        self.assertEqual(self.reactor.open_at(), [])
        self.assertFalse(os.path.exists(self.place.path))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_umask(self) -> None:
        """The socket is born private, and the process's umask is as before."""
        before = os.umask(0o022)
        self.addCleanup(os.umask, before)
        self.service.startService()
        self.assertEqual(self.reactor.umask, 0o077)
        self.assertEqual(os.stat(self.place.path).st_mode & 0o777, 0o600)
        self.assertEqual(os.umask(0o022), 0o022)

    def test_port_taken(self) -> None:
        """A port in use is a warning that names the key; the socket is there."""
        self.reactor.tcp_error = OSError(98, "Address already in use")
        self.service.startService()
        self.assertEqual(
            self.service.warnings,
            (
                "api.addr 127.0.0.1:25000: in use already, perhaps by another e2d; set"
                " api.addr to a free address of this host; trying again every 5 s",
            ),
        )
        self.assertIsNone(self.service.http_port)
        self.assertEqual(self.reactor.open_at(), [])
        self.assert_socket(there=True)

    def test_port_freed(self) -> None:
        """Once the port is free it is used, and the warning goes."""
        self.reactor.tcp_error = OSError(98, "Address already in use")
        self.service.startService()
        self.reactor.tcp_error = None
        self.reactor.advance(5.0)
        self.assertEqual(self.service.warnings, ())
        self.assertEqual(self.reactor.open_at(), ["127.0.0.1"])

    def test_socket_impossible(self) -> None:
        """When the socket cannot be made HTTP is there, and tells of it."""
        self.directory.write_text("not a directory")
        self.service.startService()
        self.assertEqual(self.reactor.open_at(), ["127.0.0.1"])
        (warning,) = self.service.warnings
        self.assertIn("file exists; set api.socket", warning)
        self.directory.unlink()
        self.reactor.advance(5.0)
        self.assertEqual(self.service.warnings, ())
        self.assert_socket(there=True)

    def test_hidden(self) -> None:
        """When a volume is mounted over the socket it is made anew in the volume."""
        self.service.startService()
        self.directory.rename(f"{self.directory}.hidden")
        self.directory.mkdir()
        self.assert_socket(there=False)
        self.reactor.pump([4.9, 0.1])
        self.assert_socket(there=True)
        self.assertEqual(self.service.warnings, ())

    def test_socket_refused(self) -> None:
        """What lies at the socket's path is waited out, too."""
        self.directory.mkdir(mode=0o700)
        Path(self.place.path).write_text("mine")
        self.service.startService()
        self.assertEqual(len(self.service.warnings), 1)
        Path(self.place.path).unlink()
        self.reactor.advance(5.0)
        self.assertEqual(self.service.warnings, ())

    def test_stopped_while_trying(self) -> None:
        """Stopping ends what is tried, too."""
        self.reactor.tcp_error = OSError(98, "Address already in use")
        self.service.startService()
        self.stop()
        self.assertEqual(self.reactor.open_at(), [])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_exposed(self) -> None:
        """Loopback deserves no warning, everything else does."""
        self.assertIsNone(exposure(Address("127.0.0.1", 7981)))
        self.assertIsNone(exposure(Address("::1", 7981)))
        self.assertIsNone(exposure(Address("localhost", 7981)))
        self.assertEqual(
            exposure(Address("192.0.2.1", 7981)),
            "api.addr 192.0.2.1:7981 can be read from other hosts, without TLS and by"
            " anybody: use 127.0.0.1 or a firewall",
        )
        self.assertIsNotNone(exposure(Address("", 7981)))
