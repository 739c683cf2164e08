"""Tests of `e2d.api.listening`."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from e2d.api.channel import ApiSite
from e2d.api.listening import BoundedConnections
from e2d.api.reads import Reads
from e2d.api.resources import Root, read_pages
from e2d.api.service import act_pages
from tests.api.exchange import Connection, SlowDaemon

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

STATUS = b"GET /status HTTP/1.1\r\n\r\n"
RESTART = b"POST /restart HTTP/1.1\r\nContent-Length: 0\r\n\r\n"


class BoundedConnectionsTests(SynchronousTestCase):
    """`BoundedConnections`."""

    def setUp(self) -> None:
        """Given room for two connections, and an etcd that takes its time to stop."""
        self.clock = Clock()
        self.stopped: Deferred[None] = Deferred()
        daemon = SlowDaemon(self.stopped)
        reads = read_pages(Reads(daemon).by_path())
        root = Root({**reads, **act_pages(daemon, lambda: NOW)})
        self.factory = BoundedConnections(ApiSite(root, self.clock), limit=2)

    def connect(self) -> Connection:
        """One connection more."""
        return Connection(self.factory).open()

    def assert_served(self, connection: Connection) -> None:
        """Whoever is connected gets an answer."""
        answer = connection.send(STATUS)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)

    def test_silent_make_room(self) -> None:
        """Whoever connects and says nothing keeps nobody out: the oldest has to go."""
        first, second = self.connect(), self.connect()
        self.assert_served(self.connect())
        self.assertTrue(first.transport.disconnected)
        self.assertFalse(second.transport.disconnected)

    def test_many_at_once(self) -> None:
        """One that is about to go makes room once only."""
        first, second = self.connect(), self.connect()
        third, fourth = self.connect(), self.connect()
        self.assertTrue(first.transport.disconnected)
        self.assertTrue(second.transport.disconnected)
        self.assertFalse(third.transport.disconnected)
        self.assert_served(fourth)

    def test_gone(self) -> None:
        """Once it has gone there is room for as many as before."""
        first, second = self.connect(), self.connect()
        self.connect()
        first.close()
        second.close()
        fourth = self.connect()
        self.connect()
        self.assertFalse(fourth.transport.disconnected)

    def test_idle_make_room(self) -> None:
        """So has one that was answered and is kept open."""
        first, _second = self.connect(), self.connect()
        self.assert_served(first)
        self.connect()
        self.assertTrue(first.transport.disconnected)

    def test_commands_stay(self) -> None:
        """One that waits for its command to be done stays; the next oldest goes."""
        first, second = self.connect(), self.connect()
        first.send(RESTART)
        self.assert_served(self.connect())
        self.assertFalse(first.transport.disconnected)
        self.assertTrue(second.transport.disconnected)

    def test_full(self) -> None:
        """Only as many commands as there is room for can keep others out."""
        for _ in range(2):
            self.connect().send(RESTART)
        address = Connection(self.factory).transport.getPeer()
        self.assertIsNone(self.factory.buildProtocol(address))
        self.stopped.callback(None)
        self.assertIsNotNone(self.factory.buildProtocol(address))

    def test_close_all(self) -> None:
        """All connections are broken off, and their timers with them."""
        connection = self.connect()
        done = self.factory.close_all()
        self.assertTrue(connection.transport.disconnected)
        self.assertNoResult(done)
        connection.close()
        self.successResultOf(done)
        self.assertEqual(self.clock.getDelayedCalls(), [])
