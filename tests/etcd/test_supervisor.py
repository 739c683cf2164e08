"""The supervisor, with processes that do what the test says."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from random import Random
from typing import TypeVar

from attrs import evolve

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from e2d.etcd.processes import Processes
from e2d.etcd.records import Records
from e2d.etcd.supervisor import EtcdSupervisor
from e2d.etcd.watched import Patience
from e2d.interfaces import EtcdDenied, EtcdUnavailable, IEtcdServer
from e2d.model import (
    Absent,
    ChildFailed,
    EtcdStatus,
    MemberID,
    ProblemKind,
    Serving,
    Starting,
    Stopping,
)
from e2d.services import Backoff
from e2d.testing.reactor import MemoryDaemonReactor, MemoryProcess
from tests.etcd.samples import START, endpoint, options, settings, status

T = TypeVar("T")

DENIED = EtcdDenied("INVALID_ARGUMENT", "etcdserver: user name is empty")

_VERSION = b"etcd Version: 3.5.16\nGit SHA: x\n"


class SupervisorTests(SynchronousTestCase):
    """One data directory, one supervisor, made-up processes."""

    def setUp(self) -> None:
        """A supervisor whose etcd does not answer yet."""
        self.directory = os.path.abspath(self.mktemp())
        os.mkdir(self.directory, 0o700)
        self.proc = self.mktemp()
        os.mkdir(self.proc)
        self._write_proc("sys/kernel/random/boot_id", "b00t")
        self.binary = os.path.join(self.directory, "etcd")
        with open(self.binary, "w") as file:
            file.write("#!/bin/sh\n")
        os.chmod(self.binary, 0o700)
        self.reactor = MemoryDaemonReactor()
        self.answer: EtcdStatus | EtcdDenied | None = None
        self.probes = 0
        self.expected: MemberID | None = None
        self.ids = iter(f"{number:016x}" for number in range(1, 99))
        self.settings = settings(
            binary=self.binary,
            data_dir=self.directory,
            client=endpoint("127.0.0.1", 0),
            peer=endpoint("127.0.0.2", 0),
        )
        self.supervisor = self._supervisor()
        self.seen: list[type] = []
        self.supervisor.subscribe(
            lambda: self.seen.append(type(self.supervisor.state()))
        )

    def _supervisor(self) -> EtcdSupervisor:
        return EtcdSupervisor(
            self.reactor,
            self._probe,
            Records(os.path.join(self.directory, "e2d"), self._now),
            self._now,
            self.settings,
            random=Random(1),
            environment={"PATH": "/usr/bin:/bin"},
            make_id=lambda: next(self.ids),
            expected_member=lambda: self.expected,
            processes=Processes(self.proc),
            backoff=Backoff(initial=1.0, maximum=30.0, jitter=0.0),
            patience=Patience(health=10.0, tries=3),
        )

    def _now(self, function: Callable[[], T]) -> Deferred[T]:
        return succeed(None).addCallback(lambda _: function())

    async def _probe(self) -> EtcdStatus:
        self.probes += 1
        if self.answer is None:
            raise EtcdUnavailable("127.0.0.1:2379", "connection refused")
        if isinstance(self.answer, EtcdDenied):
            raise self.answer
        return self.answer

    def _write_proc(self, path: str, content: str) -> None:
        path = os.path.join(self.proc, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(content)

    def _runs(self, pid: int, started: int, **environment: str) -> None:
        zeros = " ".join(["0"] * 18)
        self._write_proc(f"{pid}/stat", f"{pid} (etcd) S {zeros} {started} 0\n")
        self._write_proc(f"{pid}/comm", "etcd\n")
        self._write_proc(f"{pid}/cmdline", f"etcd\0--data-dir={self.directory}\0")
        variables = "".join(f"{name}={each}\0" for name, each in environment.items())
        self._write_proc(f"{pid}/environ", variables)

    def _start(self, version: bytes | None = _VERSION) -> Deferred[None]:
        starting = Deferred.fromCoroutine(self.supervisor.start(START))
        if version is not None:
            self.reactor.processes[-1].prints(version)
        return starting

    def _started(self) -> MemoryProcess:
        known = any("--version" in each.command for each in self.reactor.processes)
        self.successResultOf(self._start(None if known else _VERSION))
        return self.reactor.processes[-1]

    def _serving(self) -> MemoryProcess:
        self.answer = status()
        etcd = self._started()
        self.reactor.advance(0)
        self.assertIsInstance(self.supervisor.state(), Serving)
        return etcd

    def _stop(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.supervisor.stop())

    def _record(self) -> dict[str, object] | None:
        path = os.path.join(self.directory, "e2d", "launch.json")
        if not os.path.exists(path):
            return None
        with open(path) as file:
            return json.load(file)

    def _failed(self) -> ChildFailed:
        state = self.supervisor.state()
        self.assertIsInstance(state, ChildFailed)
        return state


class StartTests(SupervisorTests):
    """Starting etcd."""

    def test_provides(self) -> None:
        """It is what the loop asks for."""
        verifyObject(IEtcdServer, self.supervisor)

    def test_executed_in_a_session_of_its_own(self) -> None:
        """Etcd leads its own session, reads nothing, and writes to its log."""
        etcd = self._started()
        self.assertTrue(etcd.command[0].endswith("setsid"))
        self.assertEqual(etcd.command[1], self.binary)
        self.assertIn("--name=n1", etcd.command)
        self.assertEqual(sorted(etcd.descriptors), [0, 1, 2])
        self.assertEqual(etcd.descriptors[1], etcd.descriptors[2])
        self.assertEqual(etcd.environment["E2D_LAUNCH"], "0000000000000001")

    def test_on_record_before_it_runs(self) -> None:
        """The launch is on disk before the execution, its pid right after."""
        starting = Deferred.fromCoroutine(self.supervisor.start(START))
        seen = []
        spawn = self.reactor.spawnProcess

        def spawn_and_look(*arguments: object, **named: object) -> object:
            seen.append(self._record())
            self._runs(4002, 777)
            return spawn(*arguments, **named)

        self.reactor.spawnProcess = spawn_and_look
        self.reactor.processes[-1].prints(_VERSION)
        self.successResultOf(starting)
        self.assertEqual(seen[0]["launch_id"], "0000000000000001")
        self.assertIsNone(seen[0]["pid"])
        record = self._record()
        self.assertEqual((record["pid"], record["start_time"]), (4002, 777))
        self.assertEqual(record["boot_id"], "b00t")

    def test_ready_when_etcd_says_so(self) -> None:
        """It is Starting until etcd answers and knows a leader."""
        self._started()
        self.assertEqual(self.supervisor.state(), Starting(pid=4002, since=0.0))
        self.reactor.advance(0)
        self.answer = status(leader=None)
        self.reactor.advance(0.02)
        self.assertIsInstance(self.supervisor.state(), Starting)
        self.answer = status()
        self.reactor.advance(0.02)
        self.assertEqual(self.supervisor.state(), Serving(pid=4002, since=0.04))
        self.assertEqual(self.seen, [Starting, Serving])

    def test_ready_when_etcd_denies(self) -> None:
        """Etcd answers nobody before it is ready, not even that they may not ask."""
        self._started()
        self.answer = DENIED
        self.reactor.advance(0.02)
        self.assertIsInstance(self.supervisor.state(), Serving)

    def test_slow_start_is_not_killed(self) -> None:
        """However long etcd takes, it is left alone, and asked less often."""
        etcd = self._started()
        self.reactor.pump([0.02] * 250)
        self.assertGreater(self.probes, 200)
        self.reactor.pump([1.0] * 600)
        self.assertLess(self.probes, 1200)
        self.assertEqual(etcd.signals, [])
        self.assertIsInstance(self.supervisor.state(), Starting)

    def test_hanging_probe(self) -> None:
        """A probe without answer is given up after a while and asked again."""
        asked: list[Deferred[EtcdStatus]] = []

        def hang() -> Deferred[EtcdStatus]:
            asked.append(Deferred())
            return asked[-1]

        self.supervisor._core.health._probe = hang
        self._started()
        self.reactor.advance(0)
        self.reactor.advance(5.0)
        self.reactor.advance(0.2)
        self.assertEqual(len(asked), 2)

    def test_another_etcd_answers(self) -> None:
        """An answer of another member does not make ours ready."""
        self.expected = MemberID(1)
        self.answer = status(member_id=2)
        self._started()
        self.reactor.advance(0)
        self.assertIsInstance(self.supervisor.state(), Starting)

    def test_version_is_asked_once(self) -> None:
        """The binary is asked for its version again only when it is another file."""
        self._started().end(code=1)
        self._started().end(code=1)
        asked = [each for each in self.reactor.processes if "--version" in each.command]
        self.assertEqual(asked[0].environment, {"PATH": "/usr/bin:/bin"})
        self.assertEqual(len(asked), 1)
        self.assertEqual(str(self.supervisor.version()), "3.5.16")
        with open(self.binary, "a") as file:
            file.write("#")
        self.successResultOf(self._start(b"etcd Version: 3.6.14\n"))
        self.assertEqual(str(self.supervisor.version()), "3.6.14")

    def test_other_settings_from_the_next_start_on(self) -> None:
        """A reload leaves the etcd that runs alone, and the next one obeys it."""
        first = self._serving()
        changed = evolve(
            self.settings,
            options=evolve(self.settings.options, quota_backend_bytes=12345),
        )
        self.supervisor.reconfigure(changed)
        self.assertIsInstance(self.supervisor.state(), Serving)
        self.assertNotIn("--quota-backend-bytes=12345", first.command)
        stopping = self._stop()
        first.end(code=0)
        self.successResultOf(stopping)
        self.assertIn("--quota-backend-bytes=12345", self._started().command)

    def test_binary_missing(self) -> None:
        """No etcd is a failure that says how to get one."""
        os.unlink(self.binary)
        self.successResultOf(Deferred.fromCoroutine(self.supervisor.start(START)))
        problem = self._failed().problem
        self.assertEqual(problem.kind, ProblemKind.BINARY_MISSING)
        self.assertIn("etcd.binary", problem.remedy)

    def test_binary_not_executable(self) -> None:
        """A file that may not be executed is said to be that."""
        os.chmod(self.binary, 0o600)
        self.successResultOf(Deferred.fromCoroutine(self.supervisor.start(START)))
        self.assertIn("not an executable file", self._failed().problem.message)

    def test_binary_is_something_else(self) -> None:
        """A program that is not etcd is not started as if it were."""
        self.successResultOf(self._start(b"hello\n"))
        self.assertEqual(self._failed().problem.kind, ProblemKind.BINARY_MISSING)
        self.assertEqual(len(self.reactor.processes), 1)

    def test_binary_that_hangs(self) -> None:
        """A program that never tells its version is ended."""
        starting = self._start(None)
        self.reactor.advance(10.0)
        self.assertEqual(self.reactor.processes[0].signals, [signal.SIGKILL])
        self.reactor.processes[0].end(signal=9)
        self.successResultOf(starting)
        self.assertEqual(self._failed().problem.kind, ProblemKind.BINARY_MISSING)

    def test_version_refused(self) -> None:
        """A release known to be bad is not started for a cluster."""
        self.settings = evolve(self.settings, cluster_size=3)
        self.supervisor = self._supervisor()
        self.successResultOf(self._start(b"etcd Version: 3.5.1\n"))
        self.assertEqual(self._failed().problem.kind, ProblemKind.VERSION_REFUSED)

    def test_version_warned_about(self) -> None:
        """A single node runs it, with a warning on every status."""
        self.successResultOf(self._start(b"etcd Version: 3.5.1\n"))
        self.assertIsInstance(self.supervisor.state(), Starting)
        self.assertIn("known to be bad", self.supervisor.warnings()[0])

    def test_nothing_is_left_behind(self) -> None:
        """A start that fails leaves no process, no timer and no open file (W-28)."""
        before = sorted(os.listdir("/proc/self/fd"))
        starting = Deferred.fromCoroutine(self.supervisor.start(START))
        self.reactor.spawn_error = OSError(11, "Resource temporarily unavailable")
        self.reactor.processes[-1].prints(_VERSION)
        self.successResultOf(starting)
        self.assertIn("no process could be made", self._failed().problem.message)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(sorted(os.listdir("/proc/self/fd")), before)

    def test_disk_refuses_the_record(self) -> None:
        """What can't be written down is not started."""
        with open(os.path.join(self.directory, "e2d"), "w"):
            pass
        self.successResultOf(self._start())
        self.assertIn("the start can't be recorded", self._failed().problem.message)
        self.assertEqual(len(self.reactor.processes), 1)

    def test_data_in_use(self) -> None:
        """An etcd that runs on our data is not joined by a second one."""
        self._runs(99, 5)
        self.successResultOf(self._start())
        problem = self._failed().problem
        self.assertEqual(problem.kind, ProblemKind.DATA_LOCKED)
        self.assertIn("etcd (pid 99)", problem.message)
        self.assertIn("kill 99", problem.remedy)


class FailureTests(SupervisorTests):
    """When etcd ends by itself."""

    def test_reason(self) -> None:
        """What etcd said last is the reason, at once."""
        etcd = self._started()
        line = b'{"level":"fatal","msg":"x","error":"no space left on device"}\n'
        os.write(self._log(), line)
        etcd.end(code=1)
        self.assertEqual(self._failed().problem.kind, ProblemKind.DISK_FULL)

    def _log(self) -> int:
        path = os.path.join(self.directory, "e2d", "etcd.log")
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        self.addCleanup(os.close, descriptor)
        return descriptor

    def test_words_of_an_earlier_start(self) -> None:
        """What an earlier etcd said is not why this one ended."""
        etcd = self._started()
        os.write(self._log(), b'{"level":"fatal","msg":"no space left on device"}\n')
        etcd.end(code=1)
        self._started().end(code=7)
        self.assertEqual(self._failed().problem.kind, ProblemKind.BAD_FLAG)

    def test_backoff(self) -> None:
        """Each failure in a row is worth a longer wait."""
        waits = []
        for _ in range(2):
            self._started().end(signal=9)
            waits.append(self._failed().retry_at - self.reactor.seconds())
        self.assertEqual(waits, [1.0, 2.0])
        self.assertFalse(self._failed().gave_up)

    def test_gives_up_visibly(self) -> None:
        """After some failures it is said that a person should look; it goes on."""
        for _ in range(3):
            self._started().end(signal=9)
        state = self._failed()
        self.assertEqual((state.times, state.gave_up), (3, True))
        self.assertEqual(state.retry_at, 30.0)
        self._serving()

    def test_forgiven(self) -> None:
        """Forgiveness makes the next start worth trying now, and counts anew."""
        for _ in range(3):
            self._started().end(signal=9)
        self.supervisor.forgive()
        state = self._failed()
        self.assertEqual((state.retry_at, state.gave_up), (0.0, False))
        self._started().end(signal=9)
        self.assertEqual(self._failed().times, 1)

    def test_served_for_a_while(self) -> None:
        """An etcd that served for a minute starts a new row of failures."""
        self._started().end(signal=9)
        etcd = self._serving()
        self.reactor.pump([10.0] * 6)
        etcd.end(signal=9)
        self.assertEqual(self._failed().times, 1)

    def test_served_briefly(self) -> None:
        """One that served for a moment does not."""
        self._started().end(signal=9)
        self._serving().end(signal=9)
        self.assertEqual(self._failed().times, 2)


class HealthTests(SupervisorTests):
    """While etcd serves."""

    def test_stops_answering(self) -> None:
        """After three failed checks it is Serving but not answering."""
        self._serving()
        self.answer = None
        self.reactor.advance(10.0)
        self.reactor.advance(5.0)
        self.assertTrue(self.supervisor.state().answering)
        self.reactor.advance(5.0)
        self.assertFalse(self.supervisor.state().answering)

    def test_answers_again(self) -> None:
        """One answer is enough to be answering again."""
        self._serving()
        self.answer = None
        self.reactor.pump([10.0, 5.0, 5.0])
        self.answer = status()
        self.reactor.advance(5.0)
        self.assertTrue(self.supervisor.state().answering)

    def test_denied(self) -> None:
        """To be told that one may not ask is an answer (B15)."""
        self._serving()
        self.answer = None
        self.reactor.pump([10.0, 5.0, 5.0])
        self.answer = DENIED
        self.reactor.advance(5.0)
        self.assertTrue(self.supervisor.state().answering)
        before = self.probes
        self.reactor.pump([10.0] * 30)
        self.assertTrue(self.supervisor.state().answering)
        self.assertEqual(self.probes - before, 30)

    def test_pace(self) -> None:
        """An etcd that serves is asked at the configured interval."""
        self._serving()
        before = self.probes
        self.reactor.pump([10.0] * 3)
        self.assertEqual(self.probes - before, 3)


class StopTests(SupervisorTests):
    """Stopping etcd."""

    def test_clean(self) -> None:
        """SIGTERM, and it is over when etcd has ended: nothing is left."""
        etcd = self._serving()
        stopping = self._stop()
        self.assertNoResult(stopping)
        self.assertEqual(etcd.signals, [signal.SIGTERM])
        self.assertEqual(self.supervisor.state(), Stopping(pid=4002, since=0.0))
        etcd.end(signal=15)
        self.successResultOf(stopping)
        self.assertEqual(self.supervisor.state(), Absent())
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertIsNone(self._record())

    def test_deaf(self) -> None:
        """An etcd that does not end is killed after the bound."""
        etcd = self._serving()
        stopping = self._stop()
        self.reactor.advance(10.0)
        self.assertEqual(etcd.signals, [signal.SIGTERM, signal.SIGKILL])
        etcd.end(signal=9)
        self.successResultOf(stopping)

    def test_unkillable(self) -> None:
        """One that survives SIGKILL for 30 s is said to (B10)."""
        etcd = self._serving()
        stopping = self._stop()
        self.reactor.advance(10.0)
        self.reactor.advance(30.0)
        self.assertNoResult(stopping)
        self.assertIn("its disk hangs", self.supervisor.warnings()[-1])
        etcd.end(signal=9)
        self.successResultOf(stopping)
        self.assertEqual(self.supervisor.warnings(), ())

    def test_twice(self) -> None:
        """Who stops it a second time waits for the same end."""
        etcd = self._serving()
        first, second = self._stop(), self._stop()
        etcd.end(signal=15)
        self.successResultOf(first)
        self.successResultOf(second)
        self.assertEqual(etcd.signals, [signal.SIGTERM])
        self.successResultOf(self._stop())

    def test_while_starting(self) -> None:
        """An etcd that is not ready yet is stopped all the same."""
        etcd = self._started()
        stopping = self._stop()
        etcd.end(signal=15)
        self.successResultOf(stopping)

    def test_before_there_is_a_process(self) -> None:
        """A start that is still being prepared comes to nothing."""
        starting = self._start(None)
        stopping = self._stop()
        self.assertNoResult(stopping)
        self.reactor.processes[0].prints(_VERSION)
        self.successResultOf(starting)
        self.successResultOf(stopping)
        self.assertEqual(len(self.reactor.processes), 1)
        self.assertEqual(self.supervisor.state(), Absent())

    def test_after_a_failure(self) -> None:
        """Stopping what has failed leaves nothing to retry."""
        self._started().end(signal=9)
        self.successResultOf(self._stop())
        self.assertEqual(self.supervisor.state(), Absent())

    def test_start_again(self) -> None:
        """What was stopped can be started."""
        etcd = self._serving()
        stopping = self._stop()
        etcd.end(code=0)
        self.successResultOf(stopping)
        self._serving()


class AdoptionTests(SupervisorTests):
    """What a returning e2d finds."""

    def _adopted(self, supervisor: EtcdSupervisor) -> bool:
        adopting = Deferred.fromCoroutine(supervisor.adopt())
        last = self.reactor.processes[-1] if self.reactor.processes else None
        if last is not None and "--version" in last.command and last.running:
            last.prints(_VERSION)
        return self.successResultOf(adopting)

    def test_nothing(self) -> None:
        """On a new machine there is nothing to adopt."""
        self.assertFalse(self._adopted(self.supervisor))
        self.assertEqual(self.supervisor.state(), Absent())

    def _orphan(self, **environment: str) -> int:
        """A process that really exists, so that it can be watched: our parent."""
        pid = os.getppid()
        self._serving()
        self._runs(pid, 777, **environment)
        return pid

    def test_by_its_pid(self) -> None:
        """The etcd on record is adopted, serves at once, and its end is seen."""
        pid = self._orphan()
        record = {**self._record(), "pid": pid, "start_time": 777}
        with open(os.path.join(self.directory, "e2d", "launch.json"), "w") as file:
            json.dump(record, file)
        second = self._supervisor()
        self.assertTrue(self._adopted(second))
        self.assertEqual(second.state(), Starting(pid=pid, since=0.0, adopted=True))
        self.reactor.advance(0)
        self.assertEqual(second.state(), Serving(pid=pid, since=0.0, adopted=True))
        (reader,) = self.reactor.getReaders()
        reader.doRead()
        self.assertIn("how can't be known", second.state().problem.message)
        self.assertEqual(self.reactor.getReaders(), [])

    def test_by_its_launch(self) -> None:
        """An e2d that was killed before it could write the pid left enough (B1)."""
        pid = self._orphan(E2D_LAUNCH="0000000000000001")
        second = self._supervisor()
        self.assertTrue(self._adopted(second))
        self.assertEqual(second.state().pid, pid)
        second._core.child.abandon()

    def test_pid_of_another_process(self) -> None:
        """A pid that was given to another process since is not our etcd."""
        pid = self._orphan()
        record = {**self._record(), "pid": pid, "start_time": 776}
        with open(os.path.join(self.directory, "e2d", "launch.json"), "w") as file:
            json.dump(record, file)
        second = self._supervisor()
        self.assertFalse(self._adopted(second))
        self.assertEqual(second.state().problem.kind, ProblemKind.DATA_LOCKED)

    def test_other_settings(self) -> None:
        """It is adopted all the same, and what differs is said until a restart."""
        self._orphan(E2D_LAUNCH="0000000000000001")
        self.settings = evolve(self.settings, options=options(log_level="info"))
        second = self._supervisor()
        self.assertTrue(self._adopted(second))
        self.assertEqual(
            second.warnings(),
            (
                "etcd runs with other settings than configured now (--log-level): "
                "restart to apply (e2d restart)",
            ),
        )
        second._core.child.abandon()

    def test_ended_meanwhile(self) -> None:
        """An etcd that did not outlive e2d is not adopted."""
        self._serving()
        self.assertFalse(self._adopted(self._supervisor()))

    def test_other_boot(self) -> None:
        """A pid of another boot is somebody else's."""
        self._runs(4002, 777)
        self._started_and_recorded()
        self._write_proc("sys/kernel/random/boot_id", "other")
        second = self._supervisor()
        self.assertFalse(self._adopted(second))
        self.assertEqual(second.state().problem.kind, ProblemKind.DATA_LOCKED)

    def _started_and_recorded(self) -> None:
        starting = Deferred.fromCoroutine(self.supervisor.start(START))
        os.rename(os.path.join(self.proc, "4002"), os.path.join(self.proc, "hidden"))
        self.reactor.processes[-1].prints(_VERSION)
        os.rename(os.path.join(self.proc, "hidden"), os.path.join(self.proc, "4002"))
        self.successResultOf(starting)

    def test_garbage_on_record(self) -> None:
        """A record that is none leads nowhere, and does no harm."""
        os.makedirs(os.path.join(self.directory, "e2d"))
        for content in ("[]", '{"pid": -1}', "{", '{"start": {"peers": [[1]]}}'):
            with open(os.path.join(self.directory, "e2d", "launch.json"), "w") as file:
                file.write(content)
            self.assertFalse(self._adopted(self._supervisor()))

    def test_stranger(self) -> None:
        """An etcd on our data without a record is named, and not touched."""
        self._runs(99, 5)
        self.assertFalse(self._adopted(self.supervisor))
        self.assertIn("etcd (pid 99)", self._failed().problem.message)


class WarningTests(SupervisorTests):
    """What is on every status."""

    def test_settings(self) -> None:
        """Dangerous settings are among the warnings."""
        self.settings = evolve(self.settings, options=options(compaction_interval=0.0))
        self.assertIn("compaction is off", self._supervisor().warnings()[0])
