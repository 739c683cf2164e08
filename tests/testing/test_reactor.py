"""The reactor in memory."""

from __future__ import annotations

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from e2d.interfaces import IDaemonReactor
from e2d.testing.reactor import MemoryDaemonReactor


class _Notes(ProcessProtocol):
    """Notes how its process ended."""

    ended = ""

    def processEnded(self, reason: object) -> None:
        """It has ended."""
        self.ended = str(reason.value)


class MemoryDaemonReactorTests(SynchronousTestCase):
    """It does what the daemon asks of a reactor."""

    def setUp(self) -> None:
        """A reactor with one process."""
        self.reactor = MemoryDaemonReactor()
        self.protocol = _Notes()
        self.reactor.spawnProcess(self.protocol, "/bin/x", ["x"], env={"A": "b"})
        (self.process,) = self.reactor.processes

    def test_provides(self) -> None:
        """It is a reactor of ours, and its processes are processes."""
        verifyObject(IDaemonReactor, self.reactor)
        verifyObject(IProcessTransport, self.process)

    def test_ends(self) -> None:
        """A process ends when the test says so, and takes no signal afterwards."""
        self.process.signalProcess("TERM")
        self.process.end(signal=15)
        self.assertIn("signal 15", self.protocol.ended)
        self.assertEqual(self.process.signals, [15])
        self.assertRaises(ProcessExitedAlready, self.process.signalProcess, "KILL")

    def test_cannot_spawn(self) -> None:
        """The next process can be made to fail."""
        self.reactor.spawn_error = OSError(11, "no")
        self.assertRaises(
            OSError, self.reactor.spawnProcess, self.protocol, "/bin/x", ["x"]
        )
        self.reactor.spawnProcess(self.protocol, "/bin/x", ["x"])
