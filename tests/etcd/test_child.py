"""One etcd process: our child, or adopted."""

from __future__ import annotations

import os
import signal

from twisted.internet.error import ProcessTerminated
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.child import AdoptedChild, SpawnedChild, adopt, session_launcher, spawn
from e2d.etcd.diagnosis import Exit
from e2d.etcd.processes import Processes
from e2d.testing.reactor import MemoryDaemonReactor


class SpawnedChildTests(SynchronousTestCase):
    """A child of our own."""

    def setUp(self) -> None:
        """A process that runs."""
        self.reactor = MemoryDaemonReactor()
        self.exits: list[Exit] = []
        proc = self.mktemp()
        os.mkdir(proc)
        self.child = spawn(
            self.reactor,
            Processes(proc),
            ("/bin/etcd", "--name=x"),
            {"A": "b"},
            1,
            self.exits.append,
        )
        (self.process,) = self.reactor.processes

    def test_runs(self) -> None:
        """It has the pid, the arguments and the environment it was given."""
        self.assertEqual(self.child.pid, self.process.pid)
        self.assertEqual(self.process.command, ("/bin/etcd", "--name=x"))
        self.assertEqual(self.process.environment, {"A": "b"})

    def test_ends(self) -> None:
        """Its end is told once, with code or signal."""
        self.process.end(code=3)
        self.assertEqual(self.exits, [Exit(code=3)])

    def test_dies_at_once(self) -> None:
        """An end that comes before anybody has the child is told afterwards."""
        child = SpawnedChild(self.reactor, Processes(self.mktemp()), self.exits.append)
        child.makeConnection(self.process)
        child.processEnded(Failure(ProcessTerminated(signal=11)))
        self.assertEqual(self.exits, [])
        child.hand_over()
        self.reactor.advance(0)
        self.assertEqual(self.exits, [Exit(signal=11)])

    def test_killed(self) -> None:
        """A signal is told as one."""
        self.process.end(signal=9)
        self.assertEqual(self.exits, [Exit(signal=9)])

    def test_ends_well(self) -> None:
        """A clean end has code 0."""
        self.process.end()
        self.assertEqual(self.exits, [Exit(code=0)])

    def test_signal_too_late(self) -> None:
        """A signal to a process that has ended reaches nobody."""
        self.child.send(signal.SIGTERM)
        self.process.end(signal=15)
        self.child.send(signal.SIGKILL)
        self.assertEqual(self.process.signals, [signal.SIGTERM])

    def test_abandoned(self) -> None:
        """A child that is abandoned ends unheard."""
        self.child.abandon()
        self.process.end(code=1)
        self.assertEqual(self.exits, [])

    def test_session(self) -> None:
        """What makes the session is found, and comes before the command."""
        self.assertTrue(os.path.isabs(session_launcher()[0]))


class OneGroup(Processes):
    """One process group; signals to it are noted."""

    def __init__(self, proc: str, group: int) -> None:
        super().__init__(proc)
        self.group = group
        self.left = True
        self.signals: list[int] = []

    def group_of(self, pid: int) -> int:  # noqa: ARG002 - every process's
        """The group."""
        return self.group

    def in_group(self, group: int) -> bool:
        """Whether something of it is left."""
        return self.left and group == self.group

    def signal_group(self, group: int, number: signal.Signals) -> bool:
        """Note it."""
        if self.in_group(group):
            self.signals.append(number)
        return self.in_group(group)


class SpawnedWrapperTests(SynchronousTestCase):
    """A child of our own that runs etcd as its child."""

    def setUp(self) -> None:
        """A process, and the group that is named after it."""
        self.reactor = MemoryDaemonReactor()
        self.exits: list[Exit] = []
        self.processes = OneGroup(self.mktemp(), 4001)
        self.child = spawn(
            self.reactor, self.processes, ("wrapper",), {}, 1, self.exits.append
        )
        (self.process,) = self.reactor.processes

    def test_signal(self) -> None:
        """A signal reaches each process of the group, once."""
        self.child.send(signal.SIGTERM)
        self.assertEqual(self.processes.signals, [signal.SIGTERM])
        self.assertEqual(self.process.signals, [])

    def test_told_and_outlived(self) -> None:
        """It has ended when what it started has, which was told already."""
        self.child.send(signal.SIGTERM)
        self.process.end(signal=15)
        self.reactor.pump([0.2] * 10)
        self.assertEqual(self.exits, [])
        self.processes.left = False
        self.reactor.advance(0.2)
        self.assertEqual(self.exits, [Exit(signal=15)])
        self.assertEqual(self.processes.signals, [signal.SIGTERM])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_killed_and_outlived(self) -> None:
        """What somebody else left of it is told to end."""
        self.process.end(signal=9)
        self.assertEqual(self.processes.signals, [signal.SIGTERM])
        self.processes.left = False
        self.reactor.advance(0.2)
        self.assertEqual(self.exits, [Exit(signal=9)])

    def test_deaf(self) -> None:
        """What does not end within 10 s is killed."""
        self.process.end(code=1)
        self.reactor.pump([0.2] * 49)
        self.assertEqual(self.processes.signals, [signal.SIGTERM])
        self.reactor.advance(0.2)
        self.assertEqual(self.processes.signals, [signal.SIGTERM, signal.SIGKILL])

    def test_killed_after_its_end(self) -> None:
        """A signal that is sent when the first process has ended reaches the others."""
        self.process.end(signal=9)
        self.child.send(signal.SIGKILL)
        self.assertEqual(self.processes.signals, [signal.SIGTERM, signal.SIGKILL])

    def test_abandoned(self) -> None:
        """Once abandoned, what is left of it runs on."""
        self.process.end(signal=9)
        self.child.abandon()
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class AdoptedChildTests(SynchronousTestCase):
    """A process that is not our child."""

    def setUp(self) -> None:
        """A procfs in which our parent started at tick 777."""
        self.reactor = MemoryDaemonReactor()
        self.proc = self.mktemp()
        self.pid = os.getppid()
        self.exits: list[Exit] = []
        os.makedirs(os.path.join(self.proc, str(self.pid)))
        self.stat = os.path.join(self.proc, str(self.pid), "stat")
        self._started(777)
        self.processes = Processes(self.proc)

    def _started(self, ticks: int) -> None:
        with open(self.stat, "w") as file:
            file.write(f"{self.pid} (etcd) S {' '.join(['0'] * 18)} {ticks} 0\n")

    def _adopt(self, start_time: int = 777) -> AdoptedChild | None:
        return adopt(
            self.reactor, self.processes, self.pid, start_time, self.exits.append
        )

    def test_watched(self) -> None:
        """Its end is told once, and nothing is left to watch."""
        child = self._adopt()
        self.assertEqual(self.reactor.getReaders(), [child])
        self.assertGreaterEqual(child.fileno(), 0)
        child.doRead()
        self.assertEqual(self.exits, [Exit()])
        self.assertEqual(self.reactor.getReaders(), [])

    def test_other_process(self) -> None:
        """A process that started at another time is another process."""
        before = os.listdir("/proc/self/fd")
        self.assertIsNone(self._adopt(776))
        self.assertEqual(os.listdir("/proc/self/fd"), before)
        self.assertEqual(self.reactor.getReaders(), [])

    def test_gone(self) -> None:
        """A process that has ended can't be adopted."""
        self.pid = 2**22 + 1
        self.assertIsNone(self._adopt())

    def test_reactor_ends(self) -> None:
        """When e2d ends first, nothing is said of etcd, which runs on."""
        child = self._adopt()
        child.connectionLost(Failure(ConnectionError()))
        self.assertEqual(self.exits, [])
        child.abandon()

    def _without_descriptor(self) -> AdoptedChild:
        child = AdoptedChild(
            self.reactor, self.processes, self.pid, 777, None, self.exits.append
        )
        child.watch()
        return child

    def test_old_kernel(self) -> None:
        """Without descriptors of processes it is looked for twice a second."""
        self._without_descriptor()
        self.reactor.pump([0.5] * 5)
        self.assertEqual(self.exits, [])
        os.unlink(self.stat)
        self.reactor.advance(0.5)
        self.assertEqual(self.exits, [Exit()])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_wrapper(self) -> None:
        """What it started gets its signals, and its end is theirs."""
        self.processes = OneGroup(self.proc, 4001)
        child = self._adopt()
        child.send(signal.SIGTERM)
        child.doRead()
        self.assertEqual(self.exits, [])
        self.assertEqual(self.reactor.getReaders(), [])
        child.send(signal.SIGKILL)
        self.processes.left = False
        self.reactor.advance(0.2)
        self.assertEqual(self.exits, [Exit()])
        self.assertEqual(self.processes.signals, [signal.SIGTERM, signal.SIGKILL])

    def test_group_of_another_process(self) -> None:
        """A group that got the same id since receives nothing."""
        self.processes = OneGroup(self.proc, self.pid)
        child = self._adopt()
        self._started(888)
        child.send(signal.SIGTERM)
        self.assertEqual(self.processes.signals, [])
        child.abandon()

    def test_pid_reused(self) -> None:
        """A signal never reaches a process that got the same pid."""
        received: list[int] = []
        before = signal.signal(signal.SIGUSR1, lambda *args: received.append(args[0]))
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        os.rename(os.path.dirname(self.stat), os.path.join(self.proc, f"{os.getpid()}"))
        self.pid = os.getpid()
        self.stat = os.path.join(self.proc, str(self.pid), "stat")
        child = self._without_descriptor()
        child.send(signal.SIGUSR1)
        self._started(888)
        child.send(signal.SIGUSR1)
        self.reactor.advance(0.5)
        self.assertEqual(received, [signal.SIGUSR1])
        self.assertEqual(self.exits, [Exit()])
